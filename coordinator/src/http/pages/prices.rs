//! What the migrations of a plan cost: whether each has a way back, what it closes, and how long it took where the project
//! ran it last. A plan is made once; this is read when somebody looks at it.

use pointsman_shared::api::migrations::Migration;
use pointsman_shared::api::plans::Plan;
use pointsman_shared::migration::{MigrationPhase, MigrationState};
use pointsman_store::views::migrations::{self, Took};
use pointsman_store::{PgConnection, releases, targets};

use super::super::problem::Answer;
use super::format;
use super::migrations::price;

/// A migration of a plan.
pub(super) struct Priced<'a> {
    pub(super) name: &'a str,
    /// None where only the project's own tool knows it.
    pub(super) price: Option<String>,
    pub(super) took: Option<Lately>,
}

/// How long it took, and where.
pub(super) struct Lately {
    pub(super) time: String,
    pub(super) environment: String,
}

/// What is known of a plan's migrations.
#[derive(Default)]
pub(super) struct Prices {
    known: Vec<Migration>,
    took: Vec<Took>,
}

impl Prices {
    /// Reads it; a plan without migrations asks nothing.
    pub(super) async fn read(conn: &mut PgConnection, plan: &Plan) -> Answer<Self> {
        let names: Vec<String> = plan
            .agreed
            .pre_migrations
            .iter()
            .chain(&plan.post_migrations)
            .cloned()
            .collect();
        if names.is_empty() {
            return Ok(Self::default());
        }
        let Some(target) = targets::find(conn, &plan.agreed.target).await? else {
            return Ok(Self::default());
        };
        let release = releases::numbered(conn, target.project, plan.agreed.release.number).await?;
        let of = migrations::of(conn, &target, release.as_ref()).await?;
        Ok(Self {
            known: of.items.into_iter().filter(|item| item.own).collect(),
            took: migrations::took(conn, target.project, &names).await?,
        })
    }

    /// What each of these costs.
    pub(super) fn of<'a>(&self, names: &'a [String], phase: MigrationPhase) -> Vec<Priced<'a>> {
        let priced = |name: &'a String| {
            let known = self
                .known
                .iter()
                .find(|known| known.phase == phase && known.name.as_str() == name);
            // By now it may have run: what it would have cost is no news then.
            let waits = known.filter(|known| known.state != Some(MigrationState::Applied));
            let took = self.took.iter().find(|took| took.name == *name);
            Priced {
                name,
                price: match (known, waits) {
                    (_, Some(waits)) => Some(price(waits)),
                    (Some(_), None) => Some("applied by now".to_owned()),
                    (None, None) => None,
                },
                took: took.map(|took| Lately {
                    time: format::duration(took.ms),
                    environment: took.environment.clone(),
                }),
            }
        };
        names.iter().map(priced).collect()
    }
}
