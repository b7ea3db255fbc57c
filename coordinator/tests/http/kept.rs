//! A session that is over in the middle of a form: what was typed goes through the sign-in, and waits for one more press.

use chrono::TimeDelta;
use pointsman_coordinator::operations::sync_placements;
use pointsman_store::targets;
use reqwest::Method;

use crate::agents::Agent;
use crate::browser::{Browser, Page, read};
use crate::course::two_stages;
use crate::keeper::between;
use crate::repository::Repository;
use crate::world::World;

const LOCKS: &str = "SELECT count(*) FROM lock WHERE reason = 'the fair & more'";

/// What the forms of a page carry, as a browser would send them.
fn carried(page: &Page) -> Vec<(String, String)> {
    let names = ["kept_to", "kept_from", "kept", "kept_less", "kept_fresh"];
    let read = |name: &str| {
        let (_, rest) = page.html.split_once(&format!("name=\"{name}\" value=\""))?;
        let value = rest.split('"').next()?.replace("&#38;", "&");
        Some((name.to_owned(), value))
    };
    names.into_iter().filter_map(read).collect()
}

fn with<'a>(carried: &'a [(String, String)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let carried = carried
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    carried.chain(more.iter().copied()).collect()
}

#[tokio::test]
async fn what_was_typed_goes_through_the_sign_in_and_is_sent_by_one_more_press() {
    let world = World::new().await;
    world.set_up_shop().await;
    let mut browser = Browser::with_role(&world, "deployer").await;
    let old = browser.get("/").await.proof();
    world.clock.put_forward(TimeDelta::minutes(31));
    let form = [
        ("proof", old.as_str()),
        ("target", "shop@production"),
        ("reason", "the fair & more"),
    ];
    let request = browser.request(Method::POST, "/locks").form(&form);
    let page = read(request.header("referer", "http://deploy.example/locks?a=b")).await;
    assert_eq!(page.status, 401);
    assert_eq!(page.headers["cache-control"], "no-store");
    page.holds("You are not signed in any more");
    page.lacks(&old);
    let kept = carried(&page);
    let of = |name: &str| {
        kept.iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(of("kept_to"), Some("/locks"));
    assert_eq!(of("kept_from"), Some("/locks?a=b"));

    // A wrong password loses nothing.
    let wrong = browser
        .enter(&with(&kept, &[("name", "lucy"), ("password", "guess")]))
        .await;
    assert_eq!(wrong.status, 403);
    assert_eq!(carried(&wrong), kept);
    let token = world.token_of("deployer").await;
    let shown = browser.enter(&with(&kept, &[("token", &token)])).await;
    assert_eq!(shown.status, 200);
    shown.holds("the fair &#38; more");
    shown.holds("action=\"/locks\"");
    shown.lacks("data-live");
    assert_eq!(world.count_of(LOCKS).await, 0, "nothing is sent by itself");
    let proof = shown.proof();
    let once = between(&shown.html, "action=\"/locks\"", "</form>");
    assert!(proof != old && once.contains(&proof), "{once}");
    let again = [("proof", proof.as_str()), form[1], form[2]];
    assert_eq!(browser.send_form("/locks", &again).await.leads_to(), "/locks");
    assert_eq!(world.count_of(LOCKS).await, 1);

    // Why a press was refused is not patched away by the page that has its address.
    let refused = browser.press("/locks/lift", &[("target", "shop@nowhere")]).await;
    assert_eq!(refused.status, 404);
    refused.lacks("data-live");
    browser.get("/p/nothing").await.holds("data-live");
}

#[tokio::test]
async fn a_page_of_an_older_session_keeps_its_words_too_and_says_so_to_a_stream() {
    let world = World::new().await;
    world.set_up_shop().await;
    let first = Browser::with_role(&world, "deployer").await;
    let old = first.get("/").await.proof();
    let second = Browser::with_role(&world, "deployer").await;
    let form = [
        ("proof", old.as_str()),
        ("target", "shop@production"),
        ("reason", "the fair & more"),
    ];
    let request = second.request(Method::POST, "/locks").form(&form);
    let page = read(request.header("sec-fetch-site", "same-origin")).await;
    assert_eq!(page.status, 403);
    page.holds("Press once more");
    page.holds("the fair &#38; more");
    page.lacks(&old);
    // Who signed in in another tab goes on where they were.
    let kept = [("kept_to", "/locks"), ("kept", "reason=the+fair+%26+more")];
    let stranger = Browser::new(&world).send_form("/sign-in/kept", &kept).await;
    assert_eq!(stranger.status, 401);
    stranger.holds("not signed in yet");
    let known = second.send_form("/sign-in/kept", &kept).await;
    assert_eq!(known.status, 200);
    known.holds("the fair &#38; more");
    assert_eq!(world.count_of(LOCKS).await, 0);
    let told = Browser::new(&world).get("/live?page=/&have=").await;
    told.holds("event: gone");
}

#[tokio::test]
async fn no_secret_is_carried_and_no_other_site_has_a_form_kept() {
    let world = World::new().await;
    world.set_up_shop().await;
    let mut browser = Browser::new(&world);
    let form = [
        ("kind", "project"),
        ("scope", "shop"),
        ("name", "DATABASE_URL"),
        ("value", "postgres://me:hush@db"),
        ("secret", "yes"),
    ];
    let page = browser.send_form("/settings/variables/set", &form).await;
    assert_eq!(page.status, 401);
    page.lacks("hush");
    let token = world.token_of("admin").await;
    let shown = browser.enter(&with(&carried(&page), &[("token", &token)])).await;
    shown.holds("DATABASE_URL");
    shown.holds("Secrets are not carried along");
    shown.lacks("Send it now");

    let form = [("target", "shop@production"), ("reason", "the fair & more")];
    for (header, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        let request = Browser::new(&world).request(Method::POST, "/locks").form(&form);
        let page = read(request.header(header, value)).await;
        assert_eq!(page.status, 403);
        page.lacks("the fair");
        let bent = [
            ("token", token.as_str()),
            ("kept_to", "/locks"),
            ("kept", "reason=x"),
        ];
        for path in ["/sign-in", "/sign-in/kept"] {
            let request = browser.request(Method::POST, path).form(&bent);
            let page = read(request.header(header, value)).await;
            assert_eq!(page.status, 403, "{path}");
            page.holds("other_origin");
        }
    }
    let bent = [
        ("kept_to", "//evil.example/"),
        ("kept_from", "https://evil.example/"),
        ("kept", "a=b"),
    ];
    let page = browser.send_form("/sign-in/kept", &bent).await;
    assert_eq!(page.status, 200);
    page.lacks("evil.example");
    let out = Browser::new(&world).send_form("/sign-out", &[]).await;
    assert_eq!(out.status, 401);
    out.lacks("kept_to");
}

/// Every target has one; the reconciler, which would see to it, does not run here.
async fn has_a_host(world: &World) {
    Agent::member(world, "web-1", &[("role", "web")], &[]).await;
    let mut tx = world.app.store.begin().await.unwrap();
    for target in targets::all(&mut tx).await.unwrap() {
        sync_placements::sync(&world.app, &mut tx, &target).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_deployment_to_the_last_environment_asks_for_a_fresh_sign_in() {
    let repository = Repository::new();
    let (world, _) = two_stages(&repository, "deployer").await;
    has_a_host(&world).await;
    let mut browser = Browser::with_role(&world, "deployer").await;
    let wish = [("wish", "shop@production 1.1.0")];
    let plan = browser.press("/plans", &wish).await.leads_to().to_owned();
    world.clock.put_forward(TimeDelta::minutes(16));
    let reason = [("reason", "the fair & more")];
    let page = browser.press(&plan, &reason).await;
    assert_eq!(page.status, 401);
    page.holds("you signed in longer ago than 15m00");
    let made = "SELECT count(*) FROM deployment WHERE reason = 'the fair & more'";
    assert_eq!(world.count_of(made).await, 0);

    // Neither a wrong password nor the session that is not fresh enough gets around it.
    let kept = carried(&page);
    let wrong = [("name", "lucy"), ("password", "guess")];
    let wrong = browser.enter(&with(&kept, &wrong)).await;
    wrong.holds("you signed in longer ago than 15m00");
    let stale = browser.send_form("/sign-in/kept", &with(&kept, &[])).await;
    stale.holds("you signed in longer ago than 15m00");
    let sessions = "SELECT count(*) FROM session WHERE ended_at IS NULL";
    let before = world.count_of(sessions).await;
    let token = world.token_of("deployer").await;
    let shown = browser.enter(&with(&kept, &[("token", &token)])).await;
    assert_eq!(
        world.count_of(sessions).await,
        before,
        "one takes the place of the other"
    );
    // The plan says what the press does, with the words that were typed on it.
    let shown = browser.get(shown.leads_to()).await;
    shown.holds("value=\"the fair &#38; more\"");
    shown.holds("Deploy 1.1.0 to production");
    assert_eq!(world.count_of(made).await, 0, "nothing is sent by itself");
    let once = [("proof", shown.proof()), ("reason", "the fair & more".to_owned())];
    let once: Vec<_> = once.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let went = browser.send_form(&plan, &once).await;
    assert!(went.leads_to().starts_with("/d/"), "{}", went.html);
    assert_eq!(world.count_of(made).await, 1);
}

#[tokio::test]
async fn earlier_environments_and_going_back_ask_for_no_fresh_sign_in() {
    let repository = Repository::new();
    let (world, _) = two_stages(&repository, "deployer").await;
    has_a_host(&world).await;
    let browser = Browser::with_role(&world, "deployer").await;
    let wish = [("wish", "shop@beta 1.0.0")];
    let plan = browser.press("/plans", &wish).await.leads_to().to_owned();
    world.clock.put_forward(TimeDelta::minutes(16));
    assert!(browser.press(&plan, &[]).await.leads_to().starts_with("/d/"));
    let back = browser
        .press("/rollbacks", &[("target", "shop@production")])
        .await;
    assert_ne!(back.status, 401, "{}", back.html);
    let form = |target, mode| [("target", target), ("phase", "post"), ("mode", mode)];
    for (target, mode, asks) in [
        ("shop@production", "apply", true),
        ("shop@production", "revert", true),
        ("shop@production", "look", false),
        ("shop@beta", "apply", false),
    ] {
        let answer = browser.press("/migrations", &form(target, mode)).await;
        assert_eq!(answer.status == 401, asks, "{target} {mode}: {}", answer.html);
    }
}

#[tokio::test]
async fn a_session_that_was_left_open_cannot_make_itself_fresh() {
    let world = World::new().await;
    world.set_up_shop().await;
    let browser = Browser::with_role(&world, "admin").await;
    world.clock.put_forward(TimeDelta::minutes(16));
    let tokens = "SELECT count(*) FROM token";
    let before = world.count_of(tokens).await;
    for (path, form) in [
        ("/settings/tokens/issue", [("name", "sneak"), ("role", "admin")]),
        (
            "/settings/accounts/invitations",
            [("name", "sneak"), ("role", "admin")],
        ),
        ("/settings/accounts/password", [("name", "lucy"), ("role", "")]),
    ] {
        let answer = browser.press(path, &form).await;
        assert_eq!(answer.status, 401, "{path}");
        answer.holds("Sign in once more");
    }
    assert_eq!(world.count_of(tokens).await, before);
}

#[tokio::test]
async fn a_text_that_cannot_be_kept_is_refused_as_such() {
    let world = World::new().await;
    world.set_up_shop().await;
    let browser = Browser::with_role(&world, "admin").await;
    for path in ["/?q=%00", "/d?who=%00", "/audit?what=%00", "/find?q=%00"] {
        assert_eq!(browser.get(path).await.status, 422, "{path}");
    }
    let form = [("target", "shop@production"), ("reason", "a\0b")];
    assert_eq!(browser.press("/locks", &form).await.status, 422);
    let form = [("name", "a\0b"), ("password", "guess")];
    let stranger = Browser::new(&world).enter(&form).await;
    assert_eq!(stranger.status, 422, "{}", stranger.html);
}
