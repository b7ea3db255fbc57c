//! Setting things up: every change says how to take it back.

use crate::coordinator::Coordinator;
use crate::person::Person;

#[test]
fn projects_environments_and_targets_are_created() {
    let coordinator = Coordinator::empty();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("project create shop --repository https://git.example/shop"), @"
    $ pointsman project create shop --repository https://git.example/shop
    --- stdout
    project     shop
    repository  https://git.example/shop
    folder      -
    pool        default
    created     <time> (2m ago)
    --- stderr
         Created  project shop
            Undo  none: projects cannot be deleted yet; without targets it does nothing
            Next  pointsman build shop --follow
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("environment create production --position 1"), @"
    $ pointsman environment create production --position 1
    --- stdout
    ENVIRONMENT  POSITION
    production          1
    --- stderr
         Created  environment production, place 1 in the promotion order
            Undo  none: environments cannot be deleted yet; without targets it does nothing
            Next  pointsman target create PROJECT@production --hosts role=web
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs(
        "target create shop@production --hosts role=web,zone=a --waves 1,25%,100% --on-failure rollback"
    ), @"
    $ pointsman target create shop@production --hosts role=web,zone=a --waves 1,25%,100% --on-failure rollback
    --- stdout
    target       shop@production
    labels       role=web,zone=a
    root         /srv/shop
    waves        1, 25%, 100%
    unavailable  -
    failures     0
    on failure   rollback
    keeps        5 good releases, and all of 168 hours
    gates        -
    when busy    queue
    on push      -
    paused       -
    wanted       -
    open         -
    --- stderr
         Created  target shop@production
            Note  no host has the labels role=web,zone=a yet; pointsman hosts invite HOST --labels ...
            Undo  none: targets cannot be deleted yet; without deployments it does nothing
            Next  pointsman deploy shop@production RELEASE
    --- exit 0
    ");
    let world = coordinator.world();
    assert_eq!(world.targets[0].strategy.waves, ["1", "25%", "100%"]);
    assert_eq!(world.targets[0].hosts.len(), 2);
}

#[test]
fn a_file_is_applied() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    let document = "[[project]]\nname = 'shop'\nrepository = 'https://git.example/shop'\n\n[[environment]]\nname = 'canary'\n";
    fs_err::write(lucy.file("fleet.toml"), document).unwrap();
    insta::assert_snapshot!(lucy.runs("apply -f fleet.toml"), @"
    $ pointsman apply -f fleet.toml
    --- stdout
    KIND         NAME    CHANGE
    project      shop    unchanged
    environment  canary  created
    --- stderr
         Applied  fleet.toml: 1 of 2 things changed
            Undo  apply the file as it was before; what was created stays, since nothing can be deleted yet
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.pipes(document, "apply -f - -o plain"), @"
    $ pointsman apply -f - -o plain
    --- stdout
    project	shop	unchanged
    environment	canary	created
    --- stderr
         Applied  stdin: 1 of 2 things changed
            Undo  apply the file as it was before; what was created stays, since nothing can be deleted yet
    --- exit 0
    ");
}

#[test]
fn a_file_with_a_typo_is_refused_before_anything_is_sent() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    fs_err::write(lucy.file("fleet.toml"), "[[projekt]]\nname = 'shop'\n").unwrap();
    insta::assert_snapshot!(lucy.runs("apply -f fleet.toml"), @"
    $ pointsman apply -f fleet.toml
    --- stderr
    error: fleet.toml cannot be applied
    cause: line 1: unknown field `projekt`, expected one of `project`, `environment`, `target`, `variable`
     help: mend the file; nothing was changed
    --- exit 2
    ");
    insta::assert_snapshot!(lucy.runs("apply -f nowhere.toml"), @"
    $ pointsman apply -f nowhere.toml
    --- stderr
    error: the file cannot be read
    cause: failed to open file `nowhere.toml`: No such file or directory (os error 2)
    --- exit 2
    ");
}

#[test]
fn variables_are_set_and_the_old_value_is_the_way_back() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("variable set --target shop@production PORT=8080"), @"
    $ pointsman variable set --target shop@production PORT=8080
    --- stdout
    SCOPE   OF               NAME  VALUE
    target  shop@production  PORT  8080
    --- stderr
             Set  PORT for target shop@production
            Undo  pointsman variable unset --target shop@production PORT
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("variable set --target shop@production 'PORT=80 81' MODE=fast"), @"
    $ pointsman variable set --target shop@production 'PORT=80 81' MODE=fast
    --- stdout
    SCOPE   OF               NAME  VALUE
    target  shop@production  PORT  80 81
    target  shop@production  MODE  fast
    --- stderr
             Set  PORT for target shop@production
            Undo  pointsman variable set --target shop@production PORT=8080
             Set  MODE for target shop@production
            Undo  pointsman variable unset --target shop@production MODE
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("variable set --target shop@production PORT=1"), @"
    $ pointsman variable set --target shop@production PORT=1
    --- stdout
    SCOPE   OF               NAME  VALUE
    target  shop@production  PORT  1
    --- stderr
             Set  PORT for target shop@production
            Undo  pointsman variable set --target shop@production 'PORT=80 81'
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("variable set --project shop port=1"), @r#"
    $ pointsman variable set --project shop port=1
    --- stderr
    error: a name is wrong
    cause: "port" is not a valid variable name: 1 to 64 of A-Z, 0-9 and _, not starting with a digit
     help: nothing was set
    --- exit 2
    "#);
}

#[test]
fn a_token_stands_alone_on_stdout() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("token create ci --role deployer --days 30"), @"
    $ pointsman token create ci --role deployer --days 30
    --- stdout
    pmn_ci2_secret
    --- stderr
         Created  token ci2 for ci (deployer); it is not shown again
            Undo  pointsman token revoke ci2
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("token revoke ci2"), @"
    $ pointsman token revoke ci2
    --- stderr
         Revoked  token ci2
            Undo  none: a void token stays void; pointsman token create NAME makes a new one
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.types(80, "token ls").ends(), @"
    ID   NAME  ROLE      STATE    CREATED  EXPIRES
    ci2  ci    deployer  revoked       2m   in 29d
    --- exit 0
    ");
}

#[test]
fn a_host_is_invited_and_shut_out() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("hosts invite web4 --labels role=web --ttl 10m30s"), @r#"
    $ pointsman hosts invite web4 --labels role=web --ttl 10m30s
    --- stdout
    pmj_key_secret
    --- stderr
         Invited  web4 to join once, until <time>
            Next  on web4, with coordinator.url = "http://coordinator" in its agent.toml: pointsman-agent join --token TOKEN
            Undo  pointsman hosts revoke web4
    --- exit 0
    "#);
    insta::assert_snapshot!(lucy.runs("hosts revoke web4 --yes"), @"
    $ pointsman hosts revoke web4 --yes
    --- stderr
        Withdrew  the invitation of web4
            Undo  pointsman hosts invite web4
    --- exit 0
    ");
    assert_eq!(lucy.runs("hosts revoke web4 --yes").exit, 6);
    insta::assert_snapshot!(lucy.runs("hosts revoke web1"), @"
    $ pointsman hosts revoke web1
    --- stderr
    error: there is no terminal to ask on: Take the key of web1 away? Its agent is shut out; what is live there stays live.
     help: pass --yes if it is what you want
    --- exit 2
    ");
    assert!(coordinator.world().hosts[0].revoked_at.is_none());
    insta::assert_snapshot!(lucy.runs("hosts revoke web1 --yes"), @"
    $ pointsman hosts revoke web1 --yes
    --- stderr
         Revoked  the key of web1
            Undo  pointsman hosts invite web1 --labels role=web, then join again
    --- exit 0
    ");
    assert!(coordinator.world().hosts[0].revoked_at.is_some());
}

#[test]
fn a_question_is_asked_at_a_terminal() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    let mut sitting = lucy.types(100, "hosts revoke web1");
    sitting.sees("[y/N]");
    sitting.answers("n\n");
    let screen = sitting.ends();
    assert_eq!(screen.exit, 2, "{screen}");
    assert!(coordinator.world().hosts[0].revoked_at.is_none());
    let mut sitting = lucy.types(100, "hosts revoke web1");
    sitting.sees("[y/N]");
    sitting.answers("y\n");
    assert_eq!(sitting.ends().exit, 0);
    assert!(coordinator.world().hosts[0].revoked_at.is_some());
}

#[test]
fn a_reason_that_is_not_kept_is_said() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    let run = lucy.runs("environment create canary --reason 'because'");
    assert!(run.stderr.contains("--reason is not kept"), "{run}");
}

#[test]
fn a_reason_has_the_same_names_everywhere() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    for name in ["-m", "--reason", "--message"] {
        for command in [
            "lock shop@production",
            "stop",
            "push pause shop@production",
            "mark shop 1.9.1 tested",
        ] {
            for typed in [
                format!("{command} {name} 'the audit of June'"),
                format!("{name} 'the audit of June' {command}"),
            ] {
                let run = lucy.runs(&typed);
                assert_eq!(run.exit, 0, "{run}");
                assert!(!run.stderr.contains("not kept"), "{run}");
            }
        }
    }
    let locks = lucy.runs("locks");
    assert!(locks.stdout.contains("the audit of June"), "{locks}");
}

#[test]
fn help_names_the_reason_and_a_lock_insists_on_it() {
    let newcomer = Person::newcomer();
    for command in ["lock", "stop", "push pause", "cancel", "mark"] {
        let run = newcomer.runs(&format!("help {command}"));
        assert!(run.stdout.contains("-m, --reason <TEXT>"), "{run}");
    }
    for command in ["lock shop@production", "stop", "push pause shop@production"] {
        let silent = newcomer.runs(command);
        assert_eq!(silent.exit, 2, "{silent}");
        assert!(
            silent.stderr.contains(&format!("{command} --reason WHY")),
            "{silent}"
        );
    }
}
