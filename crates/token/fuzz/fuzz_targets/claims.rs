#![no_main]

// What is made once, keys above all, is made before the clock runs that ends an input which takes too long.
libfuzzer_sys::fuzz_target!(
    init: countersign_token_fuzz::claims(include_bytes!("../corpus/claims/rfc9068_machine")),
    |input: &[u8]| countersign_token_fuzz::claims(input)
);
