//! Which versions of the projector there are.

use logweir_json::Instructions;

/// Returns the versions that this machine must have, the fastest first.
#[cfg(target_arch = "x86_64")]
fn expected() -> Vec<&'static str> {
    let has_sse42 = is_x86_feature_detected!("sse4.2")
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("popcnt");
    let has_avx2 = has_sse42
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt");
    let has_avx512 = has_avx2 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
    // Without it nothing but plain Rust would be held equal to the definition.
    assert!(has_sse42, "the tests want a processor that has SSE4.2");
    let known = [(has_avx512, "AVX-512"), (has_avx2, "AVX2"), (has_sse42, "SSE4.2"), (true, "portable")];
    known.into_iter().filter(|(has_it, _)| *has_it).map(|(_, name)| name).collect()
}

/// Returns the versions that this machine must have, the fastest first.
#[cfg(target_arch = "aarch64")]
fn expected() -> Vec<&'static str> {
    vec!["NEON", "portable"]
}

/// Returns the versions that this machine must have, the fastest first.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn expected() -> Vec<&'static str> {
    vec!["portable"]
}

#[test]
fn none_drops_out() {
    let names: Vec<String> = Instructions::available().map(|instructions| instructions.to_string()).collect();
    assert_eq!(names, expected());
    assert_eq!(Some(Instructions::best()), Instructions::available().next());
}
