//! For modules of WASI 0.1.

/// The stop of the container.
pub mod stop {
    use std::time::Duration;

    /// What is left of the grace period, if the stop has come. The signal is in the file
    /// `/run/wasmpod/stop`.
    pub fn requested() -> Option<Duration> {
        u64::try_from(host::requested()).ok().map(Duration::from_nanos)
    }

    #[expect(unsafe_code, reason = "an import")]
    mod host {
        // SAFETY: the host gives exactly this function: it takes nothing and returns a number.
        #[link(wasm_import_module = "wasmpod:lifecycle/stop")]
        unsafe extern "C" {
            /// Nanoseconds, or -1.
            pub(super) safe fn requested() -> i64;
        }
    }
}
