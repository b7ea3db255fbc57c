use pointsman_shared::ids::{
    DeploymentId, Generation, JobId, PlacementId, ProjectId, ReleaseId, StreamId, TargetId,
};
use pointsman_shared::migration::MigrationPhase;
use pointsman_shared::name::{ReleaseFolder, SlotName};
use pointsman_shared::recipe::{BuildRecipe, HealthCheck, Hooks, Probe, SharedPath};
use pointsman_shared::wire::job::{
    Audience, BuildOrder, CollectOrder, Input, InstallOrder, JobBody, MigrateMode, MigrateOrder,
    MigrationRef, MigrationRunner, Order, SlotFence, SwitchOrder, WorkshopOrder,
};

use super::{digest, id};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn body(audience: Audience, order: Order) -> JobBody {
    let on_target = !matches!(order, Order::Build(_) | Order::CollectWorkshop(_));
    JobBody {
        v: order.version(),
        job: JobId(id(1)),
        number: 812,
        installation: "acme".to_owned(),
        audience,
        project: "shop".parse().unwrap(),
        project_id: ProjectId(id(2)),
        environment: on_target.then(|| "production".parse().unwrap()),
        target_id: on_target.then(|| TargetId(id(3))),
        deployment: on_target.then(|| DeploymentId(id(4))),
        inputs: vec![Input {
            kind: "recipe".to_owned(),
            id: Some(id(20)),
            revision: 2,
            digest: digest("recipe"),
        }],
        order,
    }
}

fn folder() -> ReleaseFolder {
    ReleaseFolder::of(42, &digest("manifest"))
}

fn shared() -> Vec<SharedPath> {
    vec![
        SharedPath {
            path: "storage".to_owned(),
            folder: true,
        },
        SharedPath {
            path: ".env".to_owned(),
            folder: false,
        },
    ]
}

pub fn bodies() -> Vec<(&'static str, JobBody)> {
    let host = || Audience::Host("web-1".parse().unwrap());
    let pool = || Audience::Pool("default".parse().unwrap());
    vec![
        ("job_body.build", body(pool(), Order::Build(Box::new(build())))),
        (
            "job_body.install",
            body(host(), Order::Install(Box::new(install()))),
        ),
        (
            "job_body.activate",
            body(host(), Order::Activate(Box::new(switch()))),
        ),
        (
            "job_body.rollback",
            body(
                host(),
                Order::Rollback(Box::new(SwitchOrder {
                    health: None,
                    ..switch()
                })),
            ),
        ),
        (
            "job_body.migrate",
            body(host(), Order::Migrate(Box::new(migrate()))),
        ),
        (
            "job_body.migrate.commands",
            body(host(), Order::Migrate(Box::new(revert_with_commands()))),
        ),
        (
            "job_body.collect_garbage",
            body(host(), Order::CollectGarbage(Box::new(collect()))),
        ),
        (
            "job_body.build.submodules",
            body(pool(), Order::Build(Box::new(with_submodules()))),
        ),
        (
            "job_body.collect_workshop",
            body(
                host(),
                Order::CollectWorkshop(Box::new(WorkshopOrder {
                    log_stream: StreamId(id(8)),
                })),
            ),
        ),
    ]
}

fn build() -> BuildOrder {
    BuildOrder {
        release: ReleaseId(id(7)),
        release_number: 42,
        label: "1.9.1".parse().unwrap(),
        repository: "https://git.example.org/acme/shop.git".parse().unwrap(),
        subdirectory: Some("web".to_owned()),
        commit: COMMIT.parse().unwrap(),
        recipe: Some(BuildRecipe {
            steps: vec!["npm ci".to_owned(), "npm run build".to_owned()],
            cache: vec!["node_modules".to_owned()],
            cache_key: vec!["package-lock.json".to_owned()],
            include: vec!["dist/**".to_owned()],
            timeout_s: 1800,
            silence_timeout_s: 600,
            submodules: false,
        }),
        shared: shared(),
        log_stream: StreamId(id(8)),
    }
}

fn with_submodules() -> BuildOrder {
    let mut order = build();
    if let Some(recipe) = &mut order.recipe {
        recipe.submodules = true;
    }
    order
}

fn install() -> InstallOrder {
    InstallOrder {
        placement: PlacementId(id(5)),
        root: "/srv/shop".parse().unwrap(),
        release: ReleaseId(id(7)),
        folder: folder(),
        manifest: digest("manifest"),
        archive: digest("archive"),
        packing: digest("packing"),
        archive_bytes: 1_000_000,
        total_bytes: 4_000_000,
        entries: 321,
        shared: shared(),
        log_stream: StreamId(id(8)),
    }
}

fn switch() -> SwitchOrder {
    SwitchOrder {
        placement: PlacementId(id(5)),
        root: "/srv/shop".parse().unwrap(),
        slot: SlotName::current(),
        generation: Generation(18),
        release: ReleaseId(id(7)),
        folder: folder(),
        label: "1.9.1".parse().unwrap(),
        commit: COMMIT.parse().unwrap(),
        manifest: digest("manifest"),
        hooks: Hooks {
            before: vec![vec!["bin/warm-cache".to_owned()]],
            after: vec![vec![
                "sudo".to_owned(),
                "systemctl".to_owned(),
                "reload".to_owned(),
                "php-fpm".to_owned(),
            ]],
            timeout_s: 300,
        },
        health: Some(HealthCheck {
            probe: Probe::Http {
                url: "http://127.0.0.1:${PORT}/healthz".to_owned(),
            },
            passes: 3,
            interval_ms: 1000,
            deadline_ms: 120_000,
            asserts_release: true,
        }),
        log_stream: StreamId(id(8)),
    }
}

fn migrate() -> MigrateOrder {
    MigrateOrder {
        placement: PlacementId(id(5)),
        root: "/srv/shop".parse().unwrap(),
        release: ReleaseId(id(7)),
        folder: folder(),
        mode: MigrateMode::Apply,
        phase: MigrationPhase::Pre,
        migrations: vec![MigrationRef {
            name: "0001_orders".parse().unwrap(),
            checksum: digest("sql"),
        }],
        runner: MigrationRunner::Sql {
            folder: "db/pre".to_owned(),
            database_url: "${DATABASE_URL}".to_owned(),
        },
        log_stream: StreamId(id(8)),
    }
}

fn revert_with_commands() -> MigrateOrder {
    let argv = |word: &str| vec!["bin/migrate".to_owned(), word.to_owned()];
    MigrateOrder {
        mode: MigrateMode::Revert,
        phase: MigrationPhase::Post,
        runner: MigrationRunner::Commands {
            list: argv("list"),
            apply: argv("up"),
            revert: Some(argv("down")),
        },
        ..migrate()
    }
}

fn collect() -> CollectOrder {
    CollectOrder {
        placement: PlacementId(id(5)),
        root: "/srv/shop".parse().unwrap(),
        fences: vec![SlotFence {
            slot: SlotName::current(),
            generation: Generation(18),
        }],
        folders: vec![folder()],
        log_stream: StreamId(id(8)),
    }
}
