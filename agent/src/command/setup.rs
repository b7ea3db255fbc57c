//! `pointsman-agent setup`: the commands that make what the agent needs and may not make itself. It runs none of them.

use std::path::Path;
use std::process::ExitCode;

use pointsman_shared::name::RootPath;

use super::CommandError;
use super::print::line;
use crate::config::Config;

/// Prints the commands for the state folder, the policy file and `roots`, as far as they are missing.
pub fn setup(file: &Path, user: &str, roots: &[RootPath]) -> Result<ExitCode, CommandError> {
    let config = Config::load(file).map_err(Box::new)?;
    let lines = lines(&config, user, roots);
    if lines.is_empty() {
        line("nothing is missing")?;
    }
    for text in lines {
        line(text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(config: &Config, user: &str, roots: &[RootPath]) -> Vec<String> {
    let agent = &config.agent;
    let mut lines = Vec::new();
    if !user_exists(user) {
        lines.push(format!(
            "sudo useradd --system --home-dir {} --shell /usr/sbin/nologin {user}",
            agent.state_dir.display()
        ));
    }
    let own =
        |mode: &str, path: &Path| format!("sudo install -d -o {user} -g {user} -m {mode} {}", quoted(path));
    for folder in [&agent.state_dir, &agent.work_dir()] {
        if !folder.exists() && !folder.starts_with(&agent.state_dir)
            || folder == &agent.state_dir && !folder.exists()
        {
            lines.push(own("0700", folder));
        }
    }
    for root in roots {
        let path = Path::new(root.as_str());
        if !config.agent.allows_root(root) {
            lines.push(format!(
                "# {root} lies below none of agent.roots; add its folder to {}",
                "the configuration"
            ));
        }
        if !path.exists() {
            lines.push(own("0755", path));
        }
    }
    if !agent.policy_file.exists()
        && let Some(folder) = agent.policy_file.parent()
    {
        lines.push(format!(
            "sudo install -d -o root -g root -m 0755 {}",
            quoted(folder)
        ));
        lines.push(format!(
            "printf 'builds = false\\nhooks = []\\n' | sudo install -o root -g root -m 0644 /dev/stdin {}",
            quoted(&agent.policy_file)
        ));
    }
    lines
}

fn user_exists(user: &str) -> bool {
    let known = fs_err::read_to_string("/etc/passwd").unwrap_or_default();
    known.lines().any(|line| line.split(':').next() == Some(user))
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_is_printed_as_commands() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().display();
        let file = folder.path().join("agent.toml");
        let text = format!(
            "[agent]\nhost = 'web-1'\nstate_dir = '{base}/state'\nroots = ['{base}/srv']\npolicy_file = \
             '{base}/etc/policy.toml'\n[coordinator]\nurl = 'http://127.0.0.1:1'\n"
        );
        fs_err::write(&file, text).unwrap();
        let config = Config::load(&file).unwrap();
        let root: RootPath = format!("{base}/srv/my shop").parse().unwrap();
        let printed = lines(&config, "nobody", &[root])
            .join("\n")
            .replace(&base.to_string(), "BASE");
        insta::assert_snapshot!(printed, @r"
        sudo install -d -o nobody -g nobody -m 0700 BASE/state
        sudo install -d -o nobody -g nobody -m 0755 'BASE/srv/my shop'
        sudo install -d -o root -g root -m 0755 BASE/etc
        printf 'builds = false\nhooks = []\n' | sudo install -o root -g root -m 0644 /dev/stdin BASE/etc/policy.toml
        ");
    }
}
