//! The dashboard's door: who gets in, how long, and what a form must prove before it changes anything.

use chrono::TimeDelta;
use pointsman_coordinator::http::{Access, pages};
use pointsman_domain::Action;
use pointsman_shared::api::tokens::RoleName;
use reqwest::Method;

use crate::browser::{Browser, invitation, read};
use crate::world::World;

/// A page's path with names that lead somewhere, or nowhere.
fn filled(path: &str) -> String {
    path.replace("{project}", "shop")
        .replace("{target}", "shop@production")
        .replace("{release}", "1")
        .replace("{host}", "web-1")
        .replace("{number}", "1")
        .replace("{hash}", &"ab".repeat(32))
        .replace("{secret}", "none")
        .replace("{name}", "nobody")
}

/// Rows of every table but those that only say when somebody was seen.
const ROWS: &str = "SELECT COALESCE(sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I', relname), false, true, '')))[1]::text::bigint), 0)::bigint
    FROM pg_stat_user_tables WHERE schemaname = 'public'";

#[tokio::test]
async fn whoever_is_not_signed_in_is_led_to_the_sign_in_and_back() {
    let world = World::new().await;
    world.set_up_shop().await;
    let mut browser = Browser::new(&world);
    for page in pages()
        .iter()
        .filter(|page| matches!(page.access, Access::Page(_)))
    {
        let answer = browser.get(&filled(page.path)).await;
        if page.path == "/live" {
            answer.holds("event: gone");
            continue;
        }
        assert!(answer.leads_to().starts_with("/sign-in?next="), "{}", page.path);
        answer.lacks("shop");
    }
    let led = browser.get("/t/shop@production?a=b").await;
    assert_eq!(led.leads_to(), "/sign-in?next=%2Ft%2Fshop%40production%3Fa%3Db");
    let sign_in = browser.get(led.leads_to()).await;
    sign_in.holds("value=\"/t/shop@production?a=b\"");
    let policy = sign_in.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe") && policy.contains("require-trusted-types-for 'script'"));
    assert!(!sign_in.html.contains("style=") && !sign_in.html.contains("<script>"));

    let token = world.token_of("admin").await;
    let entered = browser
        .enter(&[("token", &token), ("next", "/t/shop@production?a=b")])
        .await;
    assert_eq!(entered.leads_to(), "/t/shop@production?a=b");
    browser.get("/t/shop@production").await.holds("shop");
    let elsewhere = Browser::new(&world)
        .enter(&[("token", &token), ("next", "//evil.example")])
        .await;
    assert_eq!(elsewhere.leads_to(), "/");

    assert_eq!(browser.press("/sign-out", &[]).await.leads_to(), "/sign-in");
    assert_eq!(
        browser.get("/").await.status,
        303,
        "the old cookie is worth nothing"
    );
}

#[tokio::test]
async fn an_invitation_makes_one_account_once_and_its_password_lets_in() {
    let world = World::new().await;
    let path = invitation(&world, None, RoleName::Admin).await;
    let mut browser = Browser::new(&world);
    browser
        .get(&path)
        .await
        .holds("invited as <strong>admin</strong>");
    let good = "zebra stapler pontoon fig";
    let form = |name, password, again| [("name", name), ("password", password), ("again", again)];
    let weak = browser
        .send_form(&path, &form("lucy", "password1234", "password1234"))
        .await;
    assert_eq!(weak.status, 422);
    weak.holds("easily guessed");
    weak.holds("value=\"lucy\"");
    assert_eq!(
        browser
            .send_form(&path, &form("lucy", good, "another one entirely"))
            .await
            .status,
        422
    );
    assert_eq!(
        browser.send_form(&path, &form("Lucy!", good, good)).await.status,
        422
    );
    let made = browser.send_form(&path, &form("lucy", good, good)).await;
    assert_eq!(made.leads_to(), "/");
    browser.keep(&made);
    browser.get("/").await.holds("lucy");
    assert_eq!(browser.get(&path).await.status, 404, "it counts once");
    assert_eq!(
        browser.send_form(&path, &form("max", good, good)).await.status,
        404
    );
    let old = invitation(&world, Some("max"), RoleName::Viewer).await;
    world.clock.put_forward(TimeDelta::days(4));
    assert_eq!(Browser::new(&world).get(&old).await.status, 404, "it is too old");
}

#[tokio::test]
async fn a_password_lets_in_and_a_wrong_one_tells_nothing() {
    let world = World::new().await;
    let good = "zebra stapler pontoon fig";
    let path = invitation(&world, Some("lucy"), RoleName::Viewer).await;
    let form = [("password", good), ("again", good)];
    let made = Browser::new(&world).send_form(&path, &form).await;
    assert_eq!(made.leads_to(), "/");
    let mut again = Browser::new(&world);
    let wrong = again
        .enter(&[("name", "lucy"), ("password", "not this one at all")])
        .await;
    let unknown = again
        .enter(&[("name", "nobody"), ("password", "not this one at all")])
        .await;
    assert_eq!((wrong.status, unknown.status), (403, 403));
    let told = "name or password is wrong, or the account may not sign in";
    wrong.holds(told);
    unknown.holds(told);
    assert_eq!(
        again
            .enter(&[("name", "lucy"), ("password", good)])
            .await
            .leads_to(),
        "/"
    );
    let audited = "SELECT count(*) FROM audit WHERE action = 'session.begin' AND result = ";
    assert_eq!(world.count_of(&format!("{audited}'refused'")).await, 2);
    assert_eq!(world.count_of(&format!("{audited}'done'")).await, 2);
    let stored: Vec<String> = sqlx::query_scalar("SELECT password_hash FROM account")
        .fetch_all(world.pool())
        .await
        .unwrap();
    assert!(stored.iter().all(|hash| hash.starts_with("$argon2id$")));
}

#[tokio::test]
async fn an_address_that_guesses_is_stopped_and_nobody_is_locked_out() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    for guess in 0..20 {
        let name = format!("somebody-{guess}");
        let page = browser.enter(&[("name", &name), ("password", "guess")]).await;
        assert_eq!(page.status, 403, "{guess}");
    }
    browser
        .enter(&[("name", "lucy"), ("password", "guess")])
        .await
        .holds("too many attempts");
    world.clock.put_forward(TimeDelta::minutes(2));
    browser
        .enter(&[("name", "lucy"), ("password", "guess")])
        .await
        .holds("name or password is wrong");
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_old_or_its_token_is_revoked() {
    let world = World::new().await;
    let idle = Browser::with_role(&world, "viewer").await;
    world.clock.put_forward(TimeDelta::minutes(29));
    assert_eq!(idle.get("/").await.status, 200);
    world.clock.put_forward(TimeDelta::minutes(29));
    assert_eq!(idle.get("/").await.status, 200, "it was used meanwhile");
    world.clock.put_forward(TimeDelta::minutes(31));
    assert_eq!(idle.get("/").await.status, 303);

    let old = Browser::with_role(&world, "viewer").await;
    for _ in 0..28 {
        world.clock.put_forward(TimeDelta::minutes(25));
        assert_eq!(old.get("/").await.status, 200);
    }
    world.clock.put_forward(TimeDelta::minutes(25));
    assert_eq!(old.get("/").await.status, 303, "twelve hours are over");

    let revoked = Browser::with_role(&world, "deployer").await;
    let tokens = world.admin().get("tokens").await.expect(200);
    let of = |token: &serde_json::Value| token["role"] == "deployer";
    let id = tokens["items"]
        .as_array()
        .unwrap_or(&Vec::new())
        .iter()
        .find(|token| of(token))
        .cloned();
    let id = id.or_else(|| {
        tokens
            .as_array()
            .and_then(|all| all.iter().find(|token| of(token)).cloned())
    });
    let id = id.unwrap()["id"].as_str().unwrap().to_owned();
    world.admin().delete(&format!("tokens/{id}")).await;
    assert_eq!(revoked.get("/").await.status, 303);
}

#[tokio::test]
async fn a_press_needs_a_session_a_proof_and_this_very_origin() {
    let world = World::new().await;
    world.set_up_shop().await;
    let stranger = Browser::new(&world);
    let admin = Browser::with_role(&world, "admin").await;
    let viewer = Browser::with_role(&world, "viewer").await;
    let proof = admin.get("/").await.proof();
    let other = viewer.get("/").await.proof();
    let done = "SELECT count(*) FROM audit WHERE result = 'done'";
    let before = world.count_of(done).await;
    let mut refused = 0;
    for page in pages() {
        let Access::Press(action) = page.access else {
            assert!(
                page.method == Method::GET || matches!(page.access, Access::Open),
                "{}",
                page.path
            );
            continue;
        };
        let path = filled(page.path);
        assert_eq!(page.method, Method::POST, "{path}");
        assert_eq!(
            stranger.send_form(&path, &[("proof", &proof)]).await.status,
            401,
            "{path}"
        );
        for form in [&[][..], &[("proof", "")], &[("proof", other.as_str())]] {
            let unproven = admin.send_form(&path, form).await;
            assert_eq!(unproven.status, 403, "{path}");
            unproven.holds("does not come from a page of your session");
        }
        let from_elsewhere = admin.request(Method::POST, &path).form(&[("proof", &proof)]);
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
        ] {
            let request = from_elsewhere.try_clone().unwrap().header(name, value);
            assert_eq!(read(request).await.status, 403, "{path} {name}");
        }
        if action != Action::Read {
            let answer = viewer.send_form(&path, &[("proof", &other)]).await;
            assert_eq!(answer.status, 403, "{path}");
            answer.holds("its role is viewer");
            refused += 1;
        }
    }
    assert_eq!(world.count_of(done).await, before, "nothing was done");
    let audited = "SELECT count(*) FROM audit WHERE result = 'refused' AND detail->>'code' = 'not_allowed'";
    assert_eq!(world.count_of(audited).await, refused);
    assert!(refused > 10, "{refused}");
}

#[tokio::test]
async fn no_page_changes_a_row() {
    let world = World::new().await;
    world.set_up_shop().await;
    let admin = Browser::with_role(&world, "admin").await;
    let before = world.count_of(ROWS).await;
    assert!(before > 10);
    let mut seen = 0;
    for page in pages() {
        if !matches!(page.access, Access::Page(_)) || page.path == "/live" {
            continue;
        }
        assert_eq!(page.method, Method::GET, "{}", page.path);
        let answer = admin.get(&filled(page.path)).await;
        assert!(
            matches!(answer.status, 200 | 404),
            "{}: {}",
            page.path,
            answer.html
        );
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
    assert_eq!(world.count_of(ROWS).await, before);
}
