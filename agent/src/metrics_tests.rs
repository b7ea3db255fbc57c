//! A job counted, and the dashboard and alerts asking for nothing that does not exist.

use std::path::Path;

use super::*;

#[test]
fn a_job_is_counted_while_it_runs_and_once_it_ended() {
    let metrics = Metrics::default();
    let running = metrics.begins(JobKind::Build);
    let during = metrics.text(&Moment::default()).unwrap();
    assert!(
        during.contains("pointsman_agent_jobs_running{kind=\"build\"} 1\n"),
        "{during}"
    );
    metrics.ended(JobKind::Build, &running, Ended::Failed);
    drop(running);
    let disks = vec![Disk {
        folder: "/srv".to_owned(),
        free: 1,
        size: 2,
    }];
    let after = metrics
        .text(&Moment {
            disks,
            ..Moment::default()
        })
        .unwrap();
    for line in [
        "pointsman_agent_jobs_running{kind=\"build\"} 0",
        "pointsman_agent_jobs_total{kind=\"build\",result=\"failed\"} 1",
        "pointsman_agent_jobs_total{kind=\"install\",result=\"failed\"} 0",
        "pointsman_agent_job_duration_seconds_count{kind=\"build\"} 1",
        "pointsman_agent_disk_free_bytes{folder=\"/srv\"} 1",
        "# EOF",
    ] {
        assert!(after.lines().any(|found| found == line), "{line}: {after}");
    }
}

#[test]
fn dashboard_and_alerts_ask_only_for_what_is_told() {
    let disks = vec![Disk {
        folder: "/srv".to_owned(),
        free: 1,
        size: 2,
    }];
    let moment = Moment {
        disks,
        ..Moment::default()
    };
    let text = Metrics::default().text(&moment).unwrap();
    let told: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    let is_told = |word: &str| {
        told.iter().any(|line| {
            let (name, kind) = line.split_once(' ').unwrap();
            let rest = word.strip_prefix(name);
            match kind {
                "counter" => rest == Some("_total"),
                "histogram" => rest.is_some_and(|rest| ["_bucket", "_count", "_sum"].contains(&rest)),
                "info" => rest == Some("_info"),
                _ => rest == Some(""),
            }
        })
    };
    let mut asked = 0;
    for file in ["grafana/pointsman.json", "prometheus/alerts.yml"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
        let text = fs_err::read_to_string(folder.join(file)).unwrap();
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        // What coordinators tell of agents is looked after in their own tests.
        let ours = words.filter(|word| word.starts_with(PREFIX) && !word.contains("_last_seen_"));
        for word in ours {
            assert!(is_told(word), "{file} asks for {word}, not among {told:#?}");
            asked += 1;
        }
    }
    assert!(asked > 8, "{asked}");
}
