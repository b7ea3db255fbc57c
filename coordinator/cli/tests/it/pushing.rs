//! Webhooks, pushes, and what holds them back.

use crate::coordinator::Coordinator;
use crate::person::Person;

#[test]
fn a_webhook_is_made_and_its_secret_stands_alone() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("webhook add shop --forge github"), @"
    $ pointsman webhook add shop --forge github
    --- stdout
    5ecret
    --- stderr
         Created  webhook shop/github; its secret is not shown again
            Note  the forge calls https://pointsman.example.org/api/v1/webhooks/shop/github with JSON, on pushes
            Note  targets follow pushes by `on_push`: pointsman target create --on-push, or apply -f
            Undo  pointsman webhook remove shop github
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("webhook renew shop github"), @"
    $ pointsman webhook renew shop github
    --- stdout
    5ecret
    --- stderr
         Renewed  webhook shop/github; its secret is not shown again
            Note  the forge calls https://pointsman.example.org/api/v1/webhooks/shop/github with JSON, on pushes
            Undo  none: the old secret is void; write the new one down at the forge
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("webhook ls"), @"
    $ pointsman webhook ls
    --- stdout
    PROJECT  WEBHOOK  FORGE   LAST PUSH  REFUSED  CALLED AT
    shop     github   github         2m  -        https://pointsman.example.org/api/v1/webhooks/shop/github
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("webhook remove shop github"), @"
    $ pointsman webhook remove shop github
    --- stderr
         Removed  webhook shop/github
            Undo  pointsman webhook add shop --forge github --name github, with another secret
    --- exit 0
    ");
    assert_eq!(lucy.runs("webhook remove shop gitlab").exit, 6);
    assert_eq!(lucy.runs("webhook add shop --forge sourceforge").exit, 2);
}

#[test]
fn pushes_are_listed_with_what_came_of_them() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("push"), @"
    $ pointsman push
    --- stdout
    PUSH  REF             BY   WHEN  TARGET           CAME OF IT     WHY
    #4    shop main       ann    2m  -                waits          -
    #3    shop main       ann    2m  shop@production  held back      3f9c1e2 is held back: #812 was rolled back to 1.9.0
    #2    shop tag 1.9.1  ann    2m  -                ignored        no target follows it
    #1    shop main       ann    2m  shop@production  deployed #812  3f9c1e2 by ann is deployed by #812
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("push repeat 3"), @"
    $ pointsman push repeat 3
    --- stderr
        Repeated  push #3 of refs/heads/main; pointsman push ls tells what comes of it
            Undo  none; a deployment that comes of it can be cancelled
    --- exit 0
    ");
}

#[test]
fn pushes_are_held_back_and_status_says_so() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    insta::assert_snapshot!(lucy.runs("push pause shop@production -m 'the sale'"), @"
    $ pointsman push pause shop@production -m 'the sale'
    --- stderr
          Paused  pushes to shop@production: the sale
            Note  people deploy as before; pushes are told and held back
            Undo  pointsman push resume shop@production
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("status shop@production"), @"
    $ pointsman status shop@production
    --- stdout
    TARGET           HOST  WANTED  RUNNING  HEALTH   SEEN  GEN
    shop@production  web1  1.9.0   1.9.0    healthy    2m    7
    shop@production  web2  1.9.0   1.9.0    healthy    2m    7
    shop@production  web3  1.9.0   1.9.0    healthy    2m    7
    --- stderr
            Note  pushes to shop@production are paused: the sale; pointsman push resume shop@production
    --- exit 0
    ");
    insta::assert_snapshot!(lucy.runs("push resume shop@production"), @"
    $ pointsman push resume shop@production
    --- stderr
         Resumed  pushes to shop@production; what was held back: pointsman push repeat NUMBER
            Undo  pointsman push pause shop@production -m TEXT
    --- exit 0
    ");
}

#[test]
fn status_and_top_say_first_what_is_stopped_and_locked() {
    let coordinator = Coordinator::start();
    let lucy = Person::lucy(&coordinator);
    lucy.runs("stop -m 'the cooling fails'");
    lucy.runs("lock shop@production -m 'the audit of June'");
    insta::assert_snapshot!(lucy.runs("status shop@production"), @"
    $ pointsman status shop@production
    --- stdout
    TARGET           HOST  WANTED  RUNNING  HEALTH   SEEN  GEN
    shop@production  web1  1.9.0   1.9.0    healthy    2m    7
    shop@production  web2  1.9.0   1.9.0    healthy    2m    7
    shop@production  web3  1.9.0   1.9.0    healthy    2m    7
    --- stderr
    warning: everything is stopped by lucy: the cooling fails; pointsman resume ends it
    warning: shop@production is locked by lucy: the audit of June; pointsman unlock shop@production ends it
    --- exit 0
    ");
    let top = lucy.runs("top").to_string();
    assert!(
        top.contains("Everything is stopped by lucy: the cooling fails"),
        "{top}"
    );
}
