#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    kith_relay_fuzz::run("backup", bytes);
});
