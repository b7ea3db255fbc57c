//! Signing in by an OpenID provider, the whole way over HTTP, and every way in which it must fail.

use chrono::TimeDelta;
use pointsman_shared::api::tokens::RoleName;
use pointsman_shared::clock::{Clock as _, SystemClock};
use pointsman_shared::digest::Digest;
use reqwest::header::LOCATION;
use reqwest::{Client, redirect};
use serde_json::json;

use crate::browser::{Browser, Page, invitation};
use crate::openid::{Provider, Says};
use crate::world::{Settings, World};

/// One way in which a token is not right.
type Bend = fn(&mut Says);

async fn with_provider() -> (World, Provider) {
    let provider = Provider::new().await;
    let settings = Settings {
        oidc: Some(provider.section()),
        ..Settings::default()
    };
    let world = World::with(settings).await;
    world.set_up_shop().await;
    (world, provider)
}

/// Leaves for the provider, and gives the path on which it sends the browser back.
async fn leave(world: &World, browser: &mut Browser) -> String {
    leave_by(world, browser, "/sign-in/provider?next=%2Fp%2Fshop").await
}

async fn leave_by(world: &World, browser: &mut Browser, path: &str) -> String {
    let left = browser.get(path).await;
    browser.keep(&left);
    let client = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .build()
        .unwrap();
    let answer = client.get(left.leads_to()).send().await.unwrap();
    let back = answer.headers()[LOCATION].to_str().unwrap();
    let path = back.strip_prefix(world.url.trim_end_matches('/')).unwrap();
    path.to_owned()
}

async fn enter(world: &World, browser: &mut Browser) -> Page {
    let back = leave(world, browser).await;
    let entered = browser.get(&back).await;
    browser.keep(&entered);
    entered
}

#[tokio::test]
async fn a_person_enters_by_the_provider_and_their_groups_are_their_roles_each_time() {
    let (world, provider) = with_provider().await;
    let mut lucy = Browser::new(&world);
    lucy.get("/sign-in").await.holds("Sign in with the test provider");
    let entered = enter(&world, &mut lucy).await;
    assert_eq!(entered.leads_to(), "/p/shop");
    lucy.get("/p/shop").await.holds("lucy");
    let accounts = world.admin().get("accounts").await.expect(200);
    assert_eq!(
        (&accounts[0]["name"], &accounts[0]["role"]),
        (&json!("lucy"), &json!("admin"))
    );

    provider.says(|says| says.groups = vec!["shop".to_owned(), "chess".to_owned()]);
    let mut again = Browser::new(&world);
    enter(&world, &mut again).await.leads_to();
    let accounts = world.admin().get("accounts").await.expect(200);
    assert_eq!(accounts.as_array().unwrap().len(), 1, "one person, one account");
    assert_eq!(
        (&accounts[0]["role"], &accounts[0]["projects"]),
        (&json!("none"), &json!({ "shop": "maintainer" }))
    );
    assert_eq!(again.get("/hosts").await.status, 403);
    for action in ["account.create", "account.change"] {
        let told = format!("SELECT count(*) FROM audit WHERE action = '{action}' AND result = 'done'");
        assert_eq!(world.count_of(&told).await, 1, "{action}");
    }
    // There is no password to guess.
    let guess = Browser::new(&world)
        .enter(&[("name", "lucy"), ("password", "")])
        .await;
    assert_eq!(guess.status, 403);
}

#[tokio::test]
async fn another_person_of_the_same_name_gets_an_account_of_their_own() {
    let (world, provider) = with_provider().await;
    enter(&world, &mut Browser::new(&world)).await.leads_to();
    provider.says(|says| says.subject = "another".to_owned());
    enter(&world, &mut Browser::new(&world)).await.leads_to();
    let accounts = world.admin().get("accounts").await.expect(200);
    let names: Vec<_> = accounts
        .as_array()
        .unwrap()
        .iter()
        .map(|account| &account["name"])
        .collect();
    assert_eq!(names[0], "lucy");
    assert!(names[1].as_str().unwrap().starts_with("lucy-"), "{names:?}");
}

/// Makes an account with a password, as a guest does.
async fn has_account(world: &World, name: &str) {
    let path = invitation(world, Some(name), RoleName::Viewer).await;
    let chosen = "correct horse battery staple";
    let form = [("name", name), ("password", chosen), ("again", chosen)];
    Browser::new(world).send_form(&path, &form).await.leads_to();
}

#[tokio::test]
async fn an_account_that_was_there_before_is_never_taken_nor_given_away() {
    let (world, provider) = with_provider().await;
    let mut subject = String::new();
    provider.says(|says| subject.clone_from(&says.subject));
    // Whoever foresees the name that a person would get makes it first.
    let digest = Digest::of(format!("{} {subject}", provider.issuer).as_bytes());
    let foreseen = format!("lucy-{}", digest.short());
    for name in ["lucy", &foreseen] {
        has_account(&world, name).await;
    }
    enter(&world, &mut Browser::new(&world)).await.leads_to();
    let accounts = world.admin().get("accounts").await.expect(200);
    let roles: Vec<_> = accounts
        .as_array()
        .unwrap()
        .iter()
        .map(|account| {
            (
                account["name"].as_str().unwrap(),
                account["role"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(roles.len(), 3, "{roles:?}");
    for name in ["lucy", &foreseen] {
        assert!(roles.contains(&(name, "viewer")), "{roles:?}");
    }
    let bound = "SELECT count(*) FROM account WHERE password_hash IS NULL AND role = 'admin'";
    assert_eq!(world.count(bound).await, 1, "{roles:?}");
}

#[tokio::test]
async fn whose_groups_give_nothing_any_more_has_nothing_any_more() {
    let (world, provider) = with_provider().await;
    let mut open = Browser::new(&world);
    enter(&world, &mut open).await.leads_to();
    assert_eq!(open.get("/settings/accounts").await.status, 200);
    provider.says(|says| says.groups = vec!["chess".to_owned()]);
    assert_eq!(enter(&world, &mut Browser::new(&world)).await.status, 403);
    // The browser that is still signed in has lost it as well.
    assert_eq!(open.get("/settings/accounts").await.status, 403);
}

#[tokio::test]
async fn a_token_that_is_not_right_lets_nobody_in() {
    let (world, provider) = with_provider().await;
    let good = {
        let mut kept = None;
        provider.says(|says| kept = Some(says.clone()));
        kept.unwrap()
    };
    let bends: [(&str, Bend); 5] = [
        ("nonce", |says| says.nonce = Some("another".to_owned())),
        ("audience", |says| says.audience = "another".to_owned()),
        ("xpired", |says| {
            says.expires_at = SystemClock.now() - TimeDelta::minutes(1);
        }),
        ("key", |says| says.key = "unknown".to_owned()),
        ("none of the groups", |says| {
            says.groups = vec!["chess".to_owned()];
        }),
    ];
    for (told, bend) in bends {
        provider.says(bend);
        let mut browser = Browser::new(&world);
        let page = enter(&world, &mut browser).await;
        assert_eq!(page.status, 403, "{told}: {}", page.html);
        page.holds(told);
        page.holds("You are not signed in");
        page.holds("href=\"/sign-in/provider?next=%2Fp%2Fshop\"");
        assert_eq!(browser.get("/p/shop").await.status, 303, "{told}");
        provider.says(|says| *says = good.clone());
    }
    assert_eq!(world.count("SELECT count(*) FROM account").await, 0);
    let refused = "SELECT count(*) FROM audit WHERE action = 'session.provider' AND result = 'refused'";
    assert_eq!(world.count(refused).await, 5);
}

#[tokio::test]
async fn a_way_back_that_this_browser_did_not_begin_leads_nowhere() {
    let (world, _provider) = with_provider().await;
    let mut lucy = Browser::new(&world);
    let back = leave(&world, &mut lucy).await;
    let stranger = Browser::new(&world).get(&back).await;
    assert_eq!(stranger.status, 403, "no cookie");
    stranger.holds("begin again, in the same browser");
    let other = lucy.get(&back.replace("state=", "state=x")).await;
    assert_eq!(other.status, 403, "another state");
    let denied = back.split("code=").next().unwrap().to_owned() + "error=access_denied&state=";
    let state = back.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let denied = lucy.get(&format!("{denied}{state}")).await;
    denied.holds("the provider did not sign you in: access_denied");
    assert_eq!(
        lucy.get(&back.replace("iss=", "iss=x")).await.status,
        403,
        "another issuer"
    );
    assert_eq!(lucy.get(&back).await.leads_to(), "/p/shop");
    assert_eq!(lucy.get(&back).await.status, 403, "a code counts once");
}

#[tokio::test]
async fn whoever_is_disabled_stays_out_and_a_silent_provider_is_told_in_words() {
    let (world, _provider) = with_provider().await;
    enter(&world, &mut Browser::new(&world)).await.leads_to();
    let change = json!({ "disabled": true, "role": "viewer" });
    let refused = world.admin().put("accounts/lucy", &change).await;
    assert_eq!(refused.refused(409), "last_admin");
    sqlx::query("UPDATE principal SET disabled_at = now() WHERE name = 'lucy'")
        .execute(world.pool())
        .await
        .unwrap();
    let page = enter(&world, &mut Browser::new(&world)).await;
    assert_eq!(page.status, 403);
    page.holds("the account lucy may not sign in");

    let nowhere = Settings {
        oidc: Some("issuer = \"http://127.0.0.1:9\"\nclient_id = \"x\"\nroles.ops = \"admin\"".to_owned()),
        ..Settings::default()
    };
    let silent = World::with(nowhere).await;
    let page = Browser::new(&silent).get("/sign-in/provider").await;
    assert_eq!(page.status, 503);
    page.holds("try again in a moment");
}

#[tokio::test]
async fn without_a_provider_there_is_no_such_way() {
    let world = World::new().await;
    let browser = Browser::new(&world);
    browser.get("/sign-in").await.lacks("/sign-in/provider");
    assert_eq!(browser.get("/sign-in/provider").await.status, 404);
}

#[tokio::test]
async fn whoever_has_to_sign_in_afresh_is_asked_by_the_provider_too() {
    let (world, provider) = with_provider().await;
    let path = "/sign-in/provider?next=%2Fp%2Fshop&fresh=yes";
    let left = Browser::new(&world).get(path).await;
    assert!(left.leads_to().contains("max_age=900"), "{}", left.leads_to());
    let now = SystemClock.now();
    for (asked_at, is_let_in) in [
        (None, false),
        (Some(now - TimeDelta::minutes(17)), false),
        (Some(now - TimeDelta::minutes(2)), true),
    ] {
        provider.says(|says| says.asked_at = asked_at);
        let mut browser = Browser::new(&world);
        let back = leave_by(&world, &mut browser, path).await;
        let entered = browser.get(&back).await;
        assert_eq!(entered.status == 303, is_let_in, "{asked_at:?} {}", entered.html);
    }
}
