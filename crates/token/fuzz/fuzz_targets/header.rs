#![no_main]

// What is made once, keys above all, is made before the clock runs that ends an input which takes too long.
libfuzzer_sys::fuzz_target!(
    init: countersign_token_fuzz::header(br#"{"alg":"RS256"}"#),
    |input: &[u8]| countersign_token_fuzz::header(input)
);
