//! Placements that are not as was decided, in as few lines as there are causes: hosts of a target that differ alike share
//! one, which leads to the target. A host that differs alone has its own, which leads to the host.
//!
//! It leaves none out: which of them are told by another line already is chosen before.

use pointsman_shared::name::HostId;
use pointsman_store::views::needs::{Astray, How};

use super::super::format::{self, Standing};
use super::Need;

/// Hosts that a line names.
const NAMED: usize = 3;

const BEHIND: Standing = Standing {
    sign: "…",
    word: "behind",
    tone: "warn",
};

const DRIFT: Standing = Standing {
    sign: "~",
    word: "drift",
    tone: "warn",
};

const NOT_READY: Standing = Standing {
    sign: "!",
    word: "not ready",
    tone: "warn",
};

/// The lines of placements that come by target.
pub(super) fn lines<'a>(placements: impl Iterator<Item = &'a Astray>) -> Vec<Need> {
    let mut groups: Vec<Vec<&Astray>> = Vec::new();
    for astray in placements {
        let same_target = |group: &&mut Vec<&Astray>| {
            let first = group.first();
            first.is_some_and(|first| first.target == astray.target)
        };
        let alike = |group: &&mut Vec<&Astray>| {
            let first = group.first();
            first.is_some_and(|first| first.how == astray.how)
        };
        let mut of_target = groups.iter_mut().rev().take_while(same_target);
        if let Some(group) = of_target.find(alike) {
            group.push(astray);
        } else {
            groups.push(vec![astray]);
        }
    }
    groups.iter().filter_map(|group| line(group)).collect()
}

fn line(group: &[&Astray]) -> Option<Need> {
    let first = group.first()?;
    let (what, link) = if group.len() == 1 {
        let what = format!("{}: {}", first.host, of_one(&first.how));
        (what, format!("/h/{}", first.host))
    } else {
        (of_several(&first.how, group), format!("/t/{}", first.target))
    };
    Some(Need {
        standing: standing(&first.how),
        place: first.target.to_string(),
        what,
        link,
    })
}

fn standing(how: &How) -> Standing {
    match how {
        How::Drift(_) => DRIFT,
        How::NotReady(_) => NOT_READY,
        How::Unhealthy => format::health("unhealthy"),
        How::Behind { .. } => BEHIND,
    }
}

fn of_one(how: &How) -> String {
    match how {
        How::Drift(what) | How::NotReady(what) => what.clone(),
        How::Unhealthy => "what is live is not healthy".to_owned(),
        How::Behind { runs, wanted } => format!("runs {}, wanted is {wanted}", said(runs.as_deref())),
    }
}

fn of_several(how: &How, group: &[&Astray]) -> String {
    let hosts = group.len();
    let names = names(group.iter().map(|astray| &astray.host));
    match how {
        How::Drift(_) | How::NotReady(_) | How::Unhealthy => {
            format!("{}, on {hosts} hosts: {names}", of_one(how))
        }
        How::Behind { runs, wanted } => {
            let runs = said(runs.as_deref());
            format!("{hosts} hosts run {runs}, wanted is {wanted}: {names}")
        }
    }
}

fn said(runs: Option<&str>) -> &str {
    runs.unwrap_or("nothing")
}

/// `web-1, web-2, web-3 and 4 more`
pub(super) fn names<'a>(hosts: impl ExactSizeIterator<Item = &'a HostId>) -> String {
    let all = hosts.len();
    let named = hosts.take(NAMED).map(HostId::as_str);
    let named = named.collect::<Vec<_>>().join(", ");
    match all.saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn astray(target: &str, host: usize, how: How) -> Astray {
        Astray {
            target: target.parse().unwrap(),
            host: format!("web-{host}").parse().unwrap(),
            how,
        }
    }

    fn behind(runs: Option<&str>) -> How {
        How::Behind {
            runs: runs.map(str::to_owned),
            wanted: "1.8.3".to_owned(),
        }
    }

    #[test]
    fn hosts_that_differ_alike_share_a_line_and_one_alone_has_its_own() {
        let mut all: Vec<_> = (1..=3)
            .map(|host| astray("pay@production", host, behind(Some("1.8.2"))))
            .collect();
        all.insert(1, astray("pay@production", 9, behind(None)));
        all.extend((1..=7).map(|host| astray("shop@beta", host, How::Unhealthy)));
        all.push(astray(
            "shop@production",
            1,
            How::Drift("its root is away".to_owned()),
        ));
        all.extend((2..=3).map(|host| astray("shop@production", host, How::NotReady("no root".to_owned()))));
        let lines = lines(all.iter());
        let told: Vec<_> = lines
            .iter()
            .map(|need| {
                (
                    need.standing.word,
                    need.place.as_str(),
                    need.what.as_str(),
                    need.link.as_str(),
                )
            })
            .collect();
        let expected = [
            (
                "behind",
                "pay@production",
                "3 hosts run 1.8.2, wanted is 1.8.3: web-1, web-2, web-3",
                "/t/pay@production",
            ),
            (
                "behind",
                "pay@production",
                "web-9: runs nothing, wanted is 1.8.3",
                "/h/web-9",
            ),
            (
                "unhealthy",
                "shop@beta",
                "what is live is not healthy, on 7 hosts: web-1, web-2, web-3 and 4 more",
                "/t/shop@beta",
            ),
            ("drift", "shop@production", "web-1: its root is away", "/h/web-1"),
            (
                "not ready",
                "shop@production",
                "no root, on 2 hosts: web-2, web-3",
                "/t/shop@production",
            ),
        ];
        assert_eq!(told, expected);
    }
}
