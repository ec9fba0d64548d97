//! The gRPC service that the example `grpc` serves and calls.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "grpc")]
    generate_invoices();
}

/// What `tonic_prost_build::compile_protos` makes of a `.proto` file, without needing `protoc`:
///
/// ```proto
/// package acme;
///
/// service Invoices {
///   rpc List(ListRequest) returns (ListReply);
/// }
/// ```
#[cfg(feature = "grpc")]
fn generate_invoices() {
    use tonic_build::manual::{Builder, Method, Service};

    let list = Method::builder()
        .name("list")
        .route_name("List")
        .input_type("crate::ListRequest")
        .output_type("crate::ListReply")
        .codec_path("tonic_prost::ProstCodec")
        .build();
    let invoices = Service::builder()
        .package("acme")
        .name("Invoices")
        .method(list)
        .build();
    Builder::new().compile(&[invoices]); // into `$OUT_DIR/acme.Invoices.rs`
}
