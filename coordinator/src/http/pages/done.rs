//! What a press came to, in a sentence of the page that it leads back to: a page of settings that comes back as it was
//! would leave open whether anything was saved.
//!
//! It travels as one word in the address, so nothing of it is kept, and looking at that address changes nothing. A word
//! that is none of these says nothing. Streams, forms and what is printed have the address without it, and scripts take
//! it out of the one that is shared. It counts where a page of ours led to it: a link that somebody else sent says nothing.

use axum::http::HeaderMap;

use super::origin::is_of_ours;

/// Its name in an address.
const NAME: &str = "done";

macro_rules! deeds {
    ($($deed:ident = $word:literal, $says:literal;)+) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Done {$(
            #[doc = $says]
            $deed,
        )+}

        impl Done {
            /// Every deed.
            const ALL: &[Self] = &[$(Self::$deed),+];

            /// Its word in an address.
            const fn word(self) -> &'static str {
                match self {$(Self::$deed => $word,)+}
            }

            /// Its sentence.
            pub(super) const fn says(self) -> &'static str {
                match self {$(Self::$deed => $says,)+}
            }
        }
    };
}

deeds! {
    Project = "project", "Saved: the project.";
    Tickets = "tickets", "Saved: how commits name tickets.";
    Key = "key", "Saved: the key that the repository is fetched with.";
    KeyHosts = "key-hosts", "Saved: the known hosts of its server.";
    KeyRemoved = "key-removed", "Removed: the key that the repository is fetched with.";
    Target = "target", "Saved: the target.";
    Environment = "environment", "Saved: the environment.";
    Variable = "variable", "Saved: the variable.";
    VariableRemoved = "variable-removed", "Removed: the variable.";
    Cause = "cause", "Saved: the known cause.";
    CauseRemoved = "cause-removed", "Removed: the known cause.";
    ChannelEnabled = "channel-enabled", "Enabled: the channel.";
    ChannelDisabled = "channel-disabled", "Disabled: the channel.";
    ChannelRemoved = "channel-removed", "Removed: the channel.";
    Rule = "rule", "Saved: the rule.";
    RuleRemoved = "rule-removed", "Removed: the rule.";
    WebhookRemoved = "webhook-removed", "Removed: the webhook.";
    PushRepeated = "push-repeated", "Asked for: the push is answered once more.";
    Redelivered = "redelivered", "Asked for: the notification is sent once more.";
    Account = "account", "Saved: the account.";
    TokenRevoked = "token-revoked", "Revoked: the token.";
    Address = "address", "Saved: the address of your commits.";
    Password = "password", "Saved: your new password.";
    SessionsEnded = "sessions-ended", "Ended: your other sessions.";
    Schedule = "schedule", "Saved: the schedule of collections.";
}

impl Done {
    /// A page's address where it says this.
    pub(super) fn at(self, address: &str) -> String {
        let sign = if address.contains('?') { '&' } else { '?' };
        format!("{address}{sign}{NAME}={}", self.word())
    }

    /// An address without the word, and what the word says to whoever was led there by a page of ours.
    pub(super) fn told(address: &str, headers: &HeaderMap) -> (String, Option<Self>) {
        let (bare, done) = Self::taken(address);
        (bare, done.filter(|_| is_of_ours(headers)))
    }

    /// An address without the word, and what the word says.
    pub(super) fn taken(address: &str) -> (String, Option<Self>) {
        let Some((path, query)) = address.split_once('?') else {
            return (address.to_owned(), None);
        };
        let word = |pair: &str| match pair.split_once('=') {
            Some((NAME, word)) => Some(word.to_owned()),
            Some(_) | None => None,
        };
        let Some(found) = query.split('&').find_map(word) else {
            return (address.to_owned(), None);
        };
        let others: Vec<&str> = query.split('&').filter(|pair| word(pair).is_none()).collect();
        let bare = if others.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{}", others.join("&"))
        };
        let done = Self::ALL.iter().copied().find(|done| done.word() == found);
        (bare, done)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_word_goes_with_an_address_and_is_taken_from_it_again() {
        for address in ["/settings/variables", "/gc?project=shop&at=a%26b"] {
            for done in Done::ALL {
                let told = done.at(address);
                assert_eq!(Done::taken(&told), (address.to_owned(), Some(*done)));
            }
            assert_eq!(Done::taken(address), (address.to_owned(), None));
        }
        let words: BTreeSet<_> = Done::ALL.iter().map(|done| done.word()).collect();
        assert_eq!(words.len(), Done::ALL.len(), "each has a word of its own");
    }

    #[test]
    fn a_word_that_is_none_of_ours_says_nothing_and_is_handed_on_to_nobody() {
        for (address, bare) in [
            ("/gc?done=<b>hacked</b>", "/gc"),
            ("/gc?done=&project=shop", "/gc?project=shop"),
            ("/gc?a=1&done=nothing&b=2", "/gc?a=1&b=2"),
        ] {
            assert_eq!(Done::taken(address), (bare.to_owned(), None));
        }
        let other = "/find?q=done=variable&undone=variable";
        assert_eq!(Done::taken(other), (other.to_owned(), None));
    }
}
