#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    kith_core_fuzz::run("store_journal", bytes);
});
