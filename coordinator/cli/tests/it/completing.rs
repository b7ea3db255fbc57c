//! Help for the person who types: completion scripts, names from the coordinator, manual pages, addresses.

use std::process::Command;

use crate::coordinator::Coordinator;
use crate::person::Person;

/// Runs bash with the script and completes at the end of this line.
fn bash(lucy: &Person, line: &str) -> String {
    let script = lucy.runs("completions bash").stdout;
    let file = lucy.file("pointsman.bash");
    fs_err::write(&file, script).unwrap();
    let word = line.rsplit([' ', '@']).next().unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let program = format!(
        "shopt -s extglob\nsource {}\nCOMP_LINE='{line}' COMP_POINT={} COMP_WORDS=({line}) COMP_CWORD={}\n\
         _pointsman_named pointsman '{word}' ''\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        file.display(),
        line.len(),
        words.len() - 1,
    );
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_pointsman"));
    let given = lucy.command("");
    let output = Command::new("bash")
        .args(["--norc", "-c", &program])
        .env_clear()
        .envs(given.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", binary.parent().unwrap().display()),
        )
        .output()
        .unwrap();
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_shell_has_its_script_and_bash_reads_its_own() {
    let nobody = Person::newcomer();
    for (shell, sign) in [
        ("bash", "complete -F _pointsman_named"),
        ("zsh", "compdef _pointsman_named pointsman"),
        ("fish", "complete -c pointsman -f -a '(__pointsman_named)'"),
    ] {
        let run = nobody.runs(&format!("completions {shell}"));
        assert_eq!(run.exit, 0, "{run}");
        assert!(run.stdout.contains(sign), "{shell}: {}", run.stdout);
        assert!(run.stdout.contains("rollback") && !run.stdout.contains("no such"));
    }
    let file = nobody.file("script");
    fs_err::write(&file, nobody.runs("completions bash").stdout).unwrap();
    let read = Command::new("bash").arg("-n").arg(&file).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    assert_eq!(nobody.runs("completions tcsh").exit, 2);
}

#[test]
fn bash_completes_commands_and_names() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    assert_eq!(bash(&lucy, "pointsman promo"), "promote\n");
    // bash has split at the @, so only what is behind it is replaced.
    assert_eq!(bash(&lucy, "pointsman deploy shop@p"), "production\n");
    assert_eq!(bash(&lucy, "pointsman deploy sh"), "shop@beta\nshop@production\n");
    assert_eq!(
        bash(&lucy, "pointsman deploy shop@production 1.9"),
        "1.9.0\n1.9.1\n"
    );
    assert_eq!(bash(&lucy, "pointsman skip 812 web"), "web1\nweb2\nweb3\n");
}

#[test]
fn names_come_from_the_coordinator_and_errors_from_nowhere() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    let names = |line: &str| {
        let run = lucy.runs(line);
        assert_eq!((run.exit, run.stderr.as_str()), (0, ""), "{run}");
        run.stdout
    };
    assert_eq!(names("__complete projects s"), "shop\n");
    assert_eq!(names("__complete targets shop@"), "shop@beta\nshop@production\n");
    assert_eq!(names("__complete hosts web"), "web1\nweb2\nweb3\n");
    assert_eq!(names("__complete releases 1 shop"), "1.9.0\n1.9.1\n");
    assert_eq!(names("__complete releases 1 nosuch"), "");
    assert_eq!(names("__complete environments b"), "beta\n");
    assert_eq!(
        names("__complete word shop status -o json"),
        "shop\nshop@beta\nshop@production\n"
    );
    coordinator.world().is_away = true;
    assert_eq!(names("__complete targets shop"), "");
    let nobody = Person::newcomer().runs("__complete targets shop");
    assert_eq!(
        (nobody.exit, nobody.stdout.as_str(), nobody.stderr.as_str()),
        (0, "", "")
    );
}

#[test]
fn every_command_has_its_manual_page() {
    let nobody = Person::newcomer();
    let page = nobody.runs("man hosts invite");
    assert_eq!(page.exit, 0);
    assert!(
        page.stdout.contains(".SH SYNOPSIS") && page.stdout.contains("one\\-time token"),
        "{page}"
    );
    let run = nobody.runs("man pages/");
    assert_eq!(run.exit, 0, "{run}");
    let mut pages: Vec<String> = std::fs::read_dir(nobody.file("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    let overview = nobody.runs("--help").stdout;
    for command in [
        "deploy",
        "rollback",
        "why",
        "undo",
        "top",
        "open",
        "audit",
        "completions",
        "man",
    ] {
        assert!(overview.contains(command), "{command}: {overview}");
        assert!(
            pages.contains(&format!("pointsman-{command}.1")),
            "{command}: {pages:?}"
        );
    }
    for page in [
        "pointsman.1",
        "pointsman-hosts-invite.1",
        "pointsman-migrations-mark.1",
        "pointsman-gc-undo.1",
    ] {
        assert!(pages.contains(&page.to_owned()), "{page}: {pages:?}");
    }
    assert!(!pages.iter().any(|page| page.contains("complete.1")), "{pages:?}");
    assert_eq!(nobody.runs("man nosuch").exit, 2);
}

#[test]
fn things_have_addresses() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    lucy.runs("deploy shop@production 1.9.1 --detach");
    insta::assert_snapshot!(lucy.runs("open"), @"
    $ pointsman open
    --- stdout
    http://coordinator
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("open shop@production"), @"
    $ pointsman open shop@production
    --- stdout
    http://coordinator/t/shop@production
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("open 812"), @"
    $ pointsman open 812
    --- stdout
    http://coordinator/d/812
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("open shop b77d01aa"), @"
    $ pointsman open shop b77d01aa
    --- stdout
    http://coordinator/r/shop/42
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("open shop@prod"), @r#"
    $ pointsman open shop@prod
    --- stderr
    error: there is no target "shop@prod"
     help: did you mean shop@production?
    --- exit 6
    "#);
    insta::assert_snapshot!(lucy.types(80, "open 812").ends(), @"
    http://coordinator/d/812
    --- exit 0
    ");
    assert_eq!(lucy.runs("open 812 1.9.1").exit, 2);
}
