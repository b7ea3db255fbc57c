//! What a release is called, and which release a person means: `#n`, label, tag, branch or the beginning of a commit.
//!
//! Two different commits under one name are an error that lists both. Nothing is preferred silently; where all hits
//! are one commit, an exact label wins, then the newest release of that commit that is built, then one being built.

use pointsman_shared::api::releases::ReleaseState;
use pointsman_shared::ids::ReleaseId;
use pointsman_shared::name::ReleaseLabel;
use pointsman_shared::repository::{CommitId, GitRef};

use crate::nearest::nearest;
use crate::refusal::Refusal;

/// The label of a release: its tag, else its number; a rebuild of a taken one gets `+2`, `+3` ...
///
/// `taken` are the labels of the project's releases that are not failed or cancelled.
pub fn label_for(tag: Option<&GitRef>, number: u32, taken: &[ReleaseLabel]) -> Option<ReleaseLabel> {
    let tag = tag.map(|tag| tag.as_str().to_owned());
    // A tag may be longer than a label, or become so with its suffix; the number then serves.
    [tag, Some(number.to_string())]
        .into_iter()
        .flatten()
        .find_map(|base| {
            let rebuilds = (2..).map(|rebuild: u32| format!("{base}+{rebuild}"));
            std::iter::once(base.clone())
                .chain(rebuilds)
                .map_while(|label| label.parse::<ReleaseLabel>().ok())
                .find(|label| !taken.contains(label))
        })
}

/// A release of the project, as far as naming it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The release.
    pub id: ReleaseId,
    /// Its number.
    pub number: u32,
    /// Its label.
    pub label: ReleaseLabel,
    /// Its commit.
    pub commit: CommitId,
    /// How far it is.
    pub state: ReleaseState,
}

impl Candidate {
    /// Whether its label still belongs to it.
    const fn keeps_label(&self) -> bool {
        !matches!(self.state, ReleaseState::Failed | ReleaseState::Cancelled)
    }

    /// Built before being built, newer before older; none when it can never go live.
    fn rank(&self) -> Option<(bool, u32)> {
        match self.state {
            ReleaseState::Built => Some((true, self.number)),
            ReleaseState::Queued | ReleaseState::Building => Some((false, self.number)),
            ReleaseState::Failed | ReleaseState::Cancelled | ReleaseState::Pruned => None,
        }
    }
}

/// What the repository says a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// `tag 1.9.1`, `branch main`, `commit 3f9c1e20ab12`.
    pub what: String,
    /// The commit it leads to.
    pub commit: CommitId,
}

/// What a person meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This release.
    Release(ReleaseId),
    /// A commit of the repository of which no release can go live.
    Commit(CommitId),
}

/// Which release `spec` means; none = nothing of that name is known here.
pub fn resolve(spec: &str, candidates: &[Candidate], meanings: &[Meaning]) -> Result<Option<Found>, Refusal> {
    if let Some(number) = spec.strip_prefix('#') {
        return by_number(number, candidates).map(|id| Some(Found::Release(id)));
    }
    let label = candidates
        .iter()
        .find(|candidate| candidate.keeps_label() && candidate.label.as_str() == spec);
    let mut hits: Vec<(CommitId, String)> = Vec::new();
    if let Some(candidate) = label {
        hits.push((
            candidate.commit.clone(),
            format!("release #{} ({})", candidate.number, candidate.label),
        ));
    }
    for meaning in meanings {
        hits.push((meaning.commit.clone(), meaning.what.clone()));
    }
    for candidate in by_prefix(spec, candidates) {
        let what = format!(
            "commit {} (release #{})",
            candidate.commit.short(),
            candidate.number
        );
        if !hits.iter().any(|(commit, _)| *commit == candidate.commit) {
            hits.push((candidate.commit.clone(), what));
        }
    }
    let Some((commit, _)) = hits.first().cloned() else {
        return Ok(None);
    };
    if hits.iter().any(|(other, _)| *other != commit) {
        let list: Vec<_> = hits
            .iter()
            .map(|(commit, what)| format!("{what} at {}", commit.short()))
            .collect();
        let what = format!("{spec:?} means more than one thing: {}", list.join(", "));
        return Err(
            Refusal::conflict("ambiguous_release", what).hint("name the release by its number: '#42'")
        );
    }
    let usable = candidates.iter().filter(|candidate| candidate.commit == commit);
    let newest = usable
        .filter_map(|candidate| Some((candidate.rank()?, candidate)))
        .max_by_key(|(rank, _)| *rank);
    Ok(Some(match (label, newest) {
        (Some(candidate), _) | (None, Some((_, candidate))) => Found::Release(candidate.id),
        (None, None) => Found::Commit(commit),
    }))
}

fn by_number(number: &str, candidates: &[Candidate]) -> Result<ReleaseId, Refusal> {
    let parsed = number.parse::<u32>().map_err(|_| {
        Refusal::invalid("invalid_release", format!("'#{number}' is no release number"))
            .hint("write it as '#42'")
    })?;
    let found = candidates.iter().find(|candidate| candidate.number == parsed);
    found.map(|candidate| candidate.id).ok_or_else(|| {
        let what = match candidates.iter().map(|candidate| candidate.number).max() {
            Some(newest) => format!("there is no release #{parsed}; the newest is #{newest}"),
            None => format!("there is no release #{parsed}: nothing was built yet"),
        };
        Refusal::not_found("unknown_release", what)
    })
}

fn by_prefix<'a>(spec: &str, candidates: &'a [Candidate]) -> impl Iterator<Item = &'a Candidate> {
    let prefix = spec
        .parse::<GitRef>()
        .ok()
        .and_then(|reference| reference.as_commit_prefix());
    candidates.iter().filter(move |candidate| {
        prefix
            .as_ref()
            .is_some_and(|prefix| candidate.commit.as_str().starts_with(prefix))
    })
}

/// The refusal for a name that means nothing here.
pub fn unknown(spec: &str, candidates: &[Candidate], names: &[String]) -> Refusal {
    let labels = candidates
        .iter()
        .filter(|candidate| candidate.keeps_label())
        .map(|candidate| candidate.label.as_str());
    let near = nearest(spec, labels.chain(names.iter().map(String::as_str)));
    let refusal = Refusal::not_found(
        "unknown_release",
        format!("no release, tag, branch or commit is called {spec:?}"),
    );
    match near {
        Some(near) => refusal.hint(format!("did you mean {near}?")),
        None => refusal.hint("pointsman versions <project> lists what is there"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(digit: char) -> CommitId {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn release(number: u32, label: &str, digit: char, state: ReleaseState) -> Candidate {
        let id = ReleaseId(uuid::Uuid::from_u128(u128::from(number)));
        Candidate {
            id,
            number,
            label: label.parse().unwrap(),
            commit: commit(digit),
            state,
        }
    }

    fn meaning(what: &str, digit: char) -> Meaning {
        Meaning {
            what: what.to_owned(),
            commit: commit(digit),
        }
    }

    fn number(found: Option<Found>) -> Option<u128> {
        match found? {
            Found::Release(id) => Some(id.0.as_u128()),
            Found::Commit(_) => None,
        }
    }

    #[test]
    fn labels_are_tags_then_numbers_and_rebuilds_count_on() {
        let taken = |labels: &[&str]| {
            labels
                .iter()
                .map(|label| label.parse().unwrap())
                .collect::<Vec<_>>()
        };
        let tag = "1.9.1".parse().unwrap();
        let label = |tag, labels: &[&str]| label_for(tag, 43, &taken(labels)).unwrap().to_string();
        assert_eq!(label(Some(&tag), &[]), "1.9.1");
        assert_eq!(label(Some(&tag), &["1.9.1"]), "1.9.1+2");
        assert_eq!(label(Some(&tag), &["1.9.1", "1.9.1+2"]), "1.9.1+3");
        assert_eq!(label(None, &[]), "43");
        assert_eq!(label(None, &["43"]), "43+2");
        let long = "x".repeat(150).parse().unwrap();
        assert_eq!(label(Some(&long), &[]), "43");
    }

    #[test]
    fn numbers_labels_refs_and_commits_are_found() {
        use ReleaseState::{Building, Built, Failed};
        let all = [
            release(1, "1.9.0", 'a', Built),
            release(2, "2", 'b', Failed),
            release(3, "3", 'b', Built),
            release(4, "4", 'b', Building),
            release(5, "1.9.0+2", 'a', Built),
        ];
        let found = |spec: &str, meanings: &[Meaning]| number(resolve(spec, &all, meanings).unwrap());
        assert_eq!(found("#2", &[]), Some(2));
        assert_eq!(
            found("1.9.0", &[meaning("tag 1.9.0", 'a')]),
            Some(1),
            "an exact label wins within one commit"
        );
        assert_eq!(
            found("main", &[meaning("branch main", 'b')]),
            Some(3),
            "built before being built"
        );
        assert_eq!(found("aaaaaaa", &[]), Some(5), "the newest of the commit");
        assert_eq!(found("aaaaaa", &[]), None, "six digits are too few");
        assert_eq!(found("2", &[]), None, "a failed release has no label");
        let head = resolve("main", &all, &[meaning("branch main", 'c')]).unwrap();
        assert_eq!(head, Some(Found::Commit(commit('c'))));
    }

    #[test]
    fn two_meanings_are_an_error_that_lists_both() {
        let all = [release(1, "1.9.0", 'a', ReleaseState::Built)];
        let refusal = resolve("1.9.0", &all, &[meaning("tag 1.9.0", 'b')]).unwrap_err();
        assert_eq!(
            refusal.what,
            "\"1.9.0\" means more than one thing: release #1 (1.9.0) at aaaaaaaaaaaa, tag 1.9.0 at bbbbbbbbbbbb"
        );
    }

    #[test]
    fn what_is_not_there_is_said_kindly() {
        let all = [release(1, "1.9.0", 'a', ReleaseState::Built)];
        assert_eq!(
            resolve("#7", &all, &[]).unwrap_err().what,
            "there is no release #7; the newest is #1"
        );
        assert_eq!(
            unknown("1.9.O", &all, &[]).hint.as_deref(),
            Some("did you mean 1.9.0?")
        );
    }
}
