use axum::Router;
use countersign_router::GuardedRouter;

fn main() {
    let _: GuardedRouter = GuardedRouter::new().merge(Router::new());
}
