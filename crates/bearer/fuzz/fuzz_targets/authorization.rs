#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| countersign_bearer_fuzz::authorization(input));
