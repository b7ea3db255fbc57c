//! Which commits are those of the one who looks: by the e-mail address of their account where they gave one, else by their
//! name. It is a greeting and decides nothing, so that a namesake does no harm.

use pointsman_shared::api::plans::CommitLine;
use pointsman_store::{PgConnection, views};

use super::super::problem::Answer;
use super::viewer::Viewer;

/// Shortest name that is looked for in others: `al` is in too many.
const SHORTEST: usize = 3;

/// The one who looks, as commits know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Me {
    name: String,
    email: Option<String>,
}

impl Me {
    /// Reads what is known of the viewer.
    pub(super) async fn of(conn: &mut PgConnection, viewer: &Viewer) -> Answer<Self> {
        let actor = &viewer.caller.actor;
        Ok(Self {
            name: actor.name.to_lowercase(),
            email: views::own::email(conn, actor.principal).await?,
        })
    }

    /// Whether a commit is theirs.
    pub(super) fn wrote(&self, line: &CommitLine) -> bool {
        if let Some(email) = &self.email
            && !line.email.is_empty()
        {
            return line.email.to_lowercase() == *email;
        }
        let author = line.author.to_lowercase();
        let mut words = author.split(|c: char| !c.is_alphanumeric());
        author == self.name || (self.name.chars().count() >= SHORTEST && words.any(|word| word == self.name))
    }

    /// How many of these are theirs.
    pub(super) fn wrote_of(&self, lines: &[CommitLine]) -> usize {
        lines.iter().filter(|line| self.wrote(line)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_decides_where_there_is_one_and_a_name_else() {
        let line = |author: &str, email: &str| CommitLine {
            id: String::new(),
            author: author.to_owned(),
            at: chrono::DateTime::UNIX_EPOCH,
            subject: String::new(),
            email: email.to_owned(),
            reverts: None,
        };
        let mut me = Me {
            name: "lucy".to_owned(),
            email: None,
        };
        assert!(me.wrote(&line("Lucy Lee", "a@b")) && me.wrote(&line("lucy", "")));
        assert!(!me.wrote(&line("Lucyna", "a@b")));
        me.email = Some("lucy@example.org".to_owned());
        assert!(me.wrote(&line("L. Lee", "Lucy@Example.org")));
        assert!(!me.wrote(&line("Lucy Lee", "a@b")));
    }
}
