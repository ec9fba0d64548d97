use countersign_revocation::FeedFailure;
use redis::RedisError;

/// A broker's error in the words of feeds.
pub(crate) fn failure(error: &RedisError) -> FeedFailure {
    if error.is_timeout() {
        FeedFailure::Timeout
    } else if error.is_connection_refusal() {
        FeedFailure::Connect
    } else if error.is_io_error() || error.is_connection_dropped() || error.is_cluster_error() {
        FeedFailure::Interrupted
    } else {
        FeedFailure::Refused
    }
}
