//! A module that runs nothing by itself: others call what it exports.

// SAFETY: no other function of this module is called `add`.
#[expect(unsafe_code, reason = "an export needs its plain name")]
#[unsafe(no_mangle)]
pub extern "C" fn add(left: u32, right: u32) -> u32 {
    left.wrapping_add(right)
}
