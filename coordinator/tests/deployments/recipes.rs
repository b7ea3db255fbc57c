//! Recipes that the coordinator keeps take the file's place, are judged as it is, and are frozen with each release.

use pointsman_coordinator::operations::keep_recipe;
use pointsman_shared::api::projects::Strategy;
use pointsman_shared::api::recipes::{NewRecipe, RecipeSource};
use pointsman_shared::wire::job::{JobBody, Order};
use pointsman_store::releases;

use super::database::with_database;
use super::wishes::refused;
use super::world::World;

impl World {
    async fn keep(
        &self,
        body: &str,
        base: Option<u32>,
    ) -> pointsman_coordinator::error::OperationResult<u32> {
        let wish = NewRecipe {
            body: body.to_owned(),
            base,
            note: None,
        };
        keep_recipe::write(&self.app, &self.actor, &"shop".parse().unwrap(), &wish).await
    }

    async fn choose(&self, from: RecipeSource) -> pointsman_coordinator::error::OperationResult<()> {
        keep_recipe::choose(&self.app, &self.actor, &"shop".parse().unwrap(), from).await
    }
}

#[tokio::test]
async fn a_kept_recipe_replaces_the_file_and_is_frozen_with_the_release() {
    with_database(|store| async {
        let world = World::new(store, 1, Strategy::default()).await;
        world.repository.release(
            "4.0",
            &[
                ("pointsman.toml", "[build]\nsteps = [\"true\"]\n"),
                ("index.html", "4.0"),
            ],
        );
        assert_eq!(
            refused(world.choose(RecipeSource::Coordinator).await).code,
            "no_recipe"
        );
        let kept = "[release]\nshared = [\"storage/\"]\n";
        assert_eq!(world.keep(kept, None).await.unwrap(), 1);
        let from_file = world.build("4.0").await.unwrap();
        world.choose(RecipeSource::Coordinator).await.unwrap();
        let from_kept = world.build("4.0").await.unwrap();
        let mut conn = world.app.store.read().await.unwrap();
        let of_file = releases::get(&mut conn, from_file.id).await.unwrap().unwrap();
        let of_kept = releases::get(&mut conn, from_kept.id).await.unwrap().unwrap();
        assert!(of_file.recipe.build.is_some() && of_file.recipe_document.is_none());
        assert!(of_kept.recipe.build.is_none());
        assert_eq!(of_kept.recipe.shared.len(), 1);
        assert_eq!(of_kept.recipe_document.unwrap().revision, 1);
        drop(conn);
        // A later revision changes nothing that was asked for before.
        world.keep("", Some(1)).await.unwrap();
        let offered = world.offered("builder").await;
        let bodies: Vec<JobBody> = offered
            .iter()
            .map(|job| serde_json::from_str(&job.body).unwrap())
            .collect();
        let builds =
            |body: &&JobBody| matches!(&body.order, Order::Build(order) if order.release == from_kept.id);
        let input = &bodies.iter().find(builds).unwrap().inputs[0];
        assert_eq!((input.kind.as_str(), input.revision), ("recipe", 1));
        assert_eq!(input.id, of_kept.recipe_document.map(|document| document.id));
    })
    .await;
}

#[tokio::test]
async fn a_kept_recipe_is_judged_and_nobody_overwrites_anothers_change() {
    with_database(|store| async {
        let world = World::new(store, 1, Strategy::default()).await;
        let refusal = refused(world.keep("[build]\nstep = [\"true\"]\n", None).await);
        assert_eq!(refusal.code, "invalid_recipe");
        assert!(
            refusal.what.contains("recipe of shop, revision 1, line 2"),
            "{}",
            refusal.what
        );
        world.keep("[build]\nsteps = [\"true\"]\n", None).await.unwrap();
        world
            .keep("[build]\nsteps = [\"false\"]\n", Some(1))
            .await
            .unwrap();
        let refusal = refused(world.keep("", Some(1)).await);
        assert_eq!(refusal.code, "recipe_changed");
        assert_eq!(
            refusal.hint.as_deref(),
            Some("pointsman recipe diff shop 1 2, then try again")
        );
        let mut conn = world.app.store.read().await.unwrap();
        let recipe = keep_recipe::read(&mut conn, &"shop".parse().unwrap())
            .await
            .unwrap();
        assert_eq!(recipe.from, RecipeSource::Repository);
        assert_eq!(recipe.newest.unwrap().revision, 2);
    })
    .await;
}
