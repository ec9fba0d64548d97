#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| countersign_token_fuzz::compact_token(input));
