use countersign_router::GuardedRouter;

fn main() {
    let _: GuardedRouter = GuardedRouter::new().get("/health", || async { "ok" });
}
