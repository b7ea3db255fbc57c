//! The versions strip of a host: what ran there in the last two weeks, as a picture and in words.

use askama::Template;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use pointsman_shared::name::TargetName;
use pointsman_store::views::host_versions::Version;

/// How far back.
const DAYS: i64 = 14;
/// Releases of each target that are read; who deploys more often than that sees the newest.
pub(super) const MOST: i64 = 40;
/// Pieces of all strips together, so that a host of many targets stays a light page.
const PIECES: usize = 120;
/// Targets that are drawn.
const TARGETS: usize = 8;
/// Releases of a target that are told in words; the picture has them all.
const TOLD: usize = 6;

/// The region.
#[derive(Template)]
#[template(path = "host_versions.html")]
pub(super) struct Versions<'a> {
    strips: Vec<Strip<'a>>,
    days: i64,
    more: usize,
}

/// What ran for one target.
struct Strip<'a> {
    target: &'a TargetName,
    spans: Vec<Span<'a>>,
    told: Vec<&'a Version>,
    untold: usize,
}

/// One release in the picture.
struct Span<'a> {
    version: &'a Version,
    /// In hundredths of a percent of the strip.
    from: i64,
    width: i64,
}

impl Span<'_> {
    fn x(&self) -> String {
        percent(self.from)
    }

    fn width(&self) -> String {
        percent(self.width)
    }

    /// Whether its name fits into it.
    fn is_wide(&self) -> bool {
        self.width > 600
    }
}

/// `12.34%`
fn percent(hundredths: i64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// Begin and end of the strip; one that moved with every second would be drawn anew for each look.
fn extent(now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let hour = TimeDelta::hours(1);
    let end = now.duration_trunc(hour).map_or(now, |floor| floor + hour);
    (end - TimeDelta::days(DAYS), end)
}

/// Since when releases are shown.
pub(super) fn since(now: DateTime<Utc>) -> DateTime<Utc> {
    extent(now).0
}

impl<'a> Versions<'a> {
    /// What a host's versions were until now; they come by target, newest first.
    pub(super) fn of(versions: &'a [Version], now: DateTime<Utc>) -> Self {
        let (begin, end) = extent(now);
        let ran = |version: &&Version| version.until.is_none_or(|until| until > begin);
        let mut strips: Vec<Strip<'a>> = versions
            .chunk_by(|one, other| one.target == other.target)
            .filter_map(|of_target| {
                let ran: Vec<&Version> = of_target.iter().filter(ran).collect();
                Some(Strip {
                    target: &of_target.first()?.target,
                    spans: ran.iter().map(|version| span(version, begin, end)).collect(),
                    untold: ran.len().saturating_sub(TOLD),
                    told: ran.into_iter().take(TOLD).collect(),
                })
            })
            .filter(|strip| !strip.spans.is_empty())
            .collect();
        let more = strips.len().saturating_sub(TARGETS);
        strips.truncate(TARGETS);
        let most = PIECES / strips.len().max(1);
        for strip in &mut strips {
            strip.spans.truncate(most);
        }
        Self {
            strips,
            days: DAYS,
            more,
        }
    }
}

fn span(version: &Version, begin: DateTime<Utc>, end: DateTime<Utc>) -> Span<'_> {
    let whole = (end - begin).num_seconds().max(1);
    let place = |at: DateTime<Utc>| (at.clamp(begin, end) - begin).num_seconds() * 10_000 / whole;
    let from = place(version.from);
    Span {
        version,
        from,
        width: (place(version.until.unwrap_or(end)) - from).max(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours_ago: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() - TimeDelta::hours(hours_ago)
    }

    fn version(target: &str, release: &str, from: i64, until: Option<i64>) -> Version {
        Version {
            target: target.parse().unwrap(),
            release: release.parse().unwrap(),
            from: at(from),
            until: until.map(at),
            is_rollback: false,
            deployment: Some(1),
            by: Some("lucy".to_owned()),
        }
    }

    #[test]
    fn a_strip_holds_what_ran_within_it_and_ends_with_the_hour() {
        let versions = [
            version("pay@beta", "3", 24 * 400, None),
            version("shop@beta", "1.9", 24, None),
            version("shop@beta", "1.8", 24 * 8, Some(24)),
            version("shop@beta", "1.7", 24 * 30, Some(24 * 8)),
            version("shop@beta", "1.6", 24 * 60, Some(24 * 30)),
        ];
        let drawn = Versions::of(&versions, at(0) + TimeDelta::minutes(10));
        assert_eq!(drawn.strips.len(), 2);
        let (pay, shop) = (&drawn.strips[0], &drawn.strips[1]);
        assert_eq!(
            (pay.spans[0].x(), pay.spans[0].width()),
            ("0.00%".to_owned(), "100.00%".to_owned())
        );
        let releases: Vec<&str> = shop.told.iter().map(|version| version.release.as_str()).collect();
        assert_eq!(releases, ["1.9", "1.8", "1.7"], "what ended before is not told");
        let places: Vec<(i64, i64)> = shop
            .spans
            .iter()
            .map(|span| (span.from, span.from + span.width))
            .collect();
        assert_eq!(places[0].1, 10_000, "it still runs");
        assert_eq!(places[1].1, places[0].0, "one ends where the next begins");
        assert_eq!(places[2].0, 0);
        let later = Versions::of(&versions, at(0) + TimeDelta::minutes(50));
        assert_eq!(later.render().unwrap(), drawn.render().unwrap());
    }
}
