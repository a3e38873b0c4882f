//! Names asked of the host's resolver.

use std::io;
use std::net::IpAddr;

/// The addresses of `name`, by the host's `/etc/hosts` and DNS.
///
/// # Errors
/// The resolver's own; "no such name" and "no answer" look alike.
pub(crate) async fn ask_host(name: &str) -> io::Result<Vec<IpAddr>> {
    go_without_plugins();
    let found = tokio::net::lookup_host((name, 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}

/// Has names looked up in `/etc/hosts` and by DNS alone, whatever `/etc/nsswitch.conf` says.
///
/// All else there is a plug-in (since glibc 2.34), made for the system's C library: loaded beside the
/// one that is linked into this program, it brings the process down where the two differ.
#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
fn go_without_plugins() {
    use std::ffi::{c_char, c_int};
    use std::sync::Once;

    #[expect(unsafe_code, reason = "declares a function of the C library, nss.h")]
    // SAFETY: the declaration is that of the header.
    unsafe extern "C" {
        fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
    }
    // Not earlier: it reads a file, and most Pods ask for no name.
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[expect(unsafe_code, reason = "name services have no safe interface")]
        // SAFETY: two texts that end in a zero, which it copies. No name is looked up meanwhile:
        // whoever does so here waits first, and a program with the C library linked in can look up
        // none safely in another way.
        unsafe {
            __nss_configure_lookup(c"hosts".as_ptr(), c"files dns".as_ptr());
        }
    });
}

/// A C library that is loaded has the plug-ins that were made for it.
#[cfg(not(all(target_env = "gnu", target_feature = "crt-static")))]
fn go_without_plugins() {}
