//! Which entry of a docker configuration fits an image.
//!
//! Rule: the kubelet's (`pkg/credentialprovider/keyring.go`): `*.example.com`, `registry:5000/path`;
//! ports are equal, as many parts of the host, a glob in each, and the entry's path begins the
//! image's.

use wasmpod_images::reference::Reference;

/// Docker's own registry under its oldest name.
pub(super) const DEFAULT_KEY: &str = "index.docker.io";

/// The key under which the kubelet files an entry: without scheme and API version.
pub(super) fn key(entry: &str) -> String {
    let entry = ["https://", "http://"]
        .iter()
        .find_map(|scheme| entry.strip_prefix(scheme))
        .unwrap_or(entry);
    let (host, path) = entry.split_at(entry.find('/').unwrap_or(entry.len()));
    let path = match path {
        path if path.starts_with("/v2/") || path.starts_with("/v1/") => &path[3..],
        "/v1" | "/v2" => "",
        path => path,
    };
    if path == "/" { host.to_owned() } else { format!("{host}{path}") }
}

/// Whether the entry of this key is for the image.
pub(super) fn fits(key: &str, reference: &Reference) -> bool {
    let (host, path) = key.split_at(key.find('/').unwrap_or(key.len()));
    let image_path = format!("/{}", reference.repository());
    host_fits(host, reference.registry()) && image_path.starts_with(path)
}

fn host_fits(glob: &str, host: &str) -> bool {
    let split = |text: &str| match text.rsplit_once(':') {
        Some((name, port)) => (name.to_owned(), port.to_owned()),
        None => (text.to_owned(), String::new()),
    };
    let ((glob, glob_port), (host, port)) = (split(glob), split(host));
    let (globs, parts): (Vec<&str>, Vec<&str>) =
        (glob.split('.').collect(), host.split('.').collect());
    glob_port == port
        && globs.len() == parts.len()
        && globs.iter().zip(&parts).all(|(glob, part)| glob_fits(glob.as_bytes(), part.as_bytes()))
}

/// `*` and `?` of Go's `filepath.Match`; a class in brackets is no part of a host's name.
fn glob_fits(glob: &[u8], text: &[u8]) -> bool {
    // Where to go on after the last star, if it has to take one more byte.
    let (mut at, mut text_at, mut star) = (0, 0, None);
    while text_at < text.len() {
        match glob.get(at) {
            Some(b'*') => {
                star = Some((at + 1, text_at));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[text_at] => {
                at += 1;
                text_at += 1;
            }
            _ => match &mut star {
                Some((after, taken)) => {
                    *taken += 1;
                    (at, text_at) = (*after, *taken);
                }
                None => return false,
            },
        }
    }
    glob[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_fit_as_for_the_kubelet() {
        // From the tests of the kubelet's keyring, and its documentation of `imagePullSecrets`.
        let table = [
            ("https://index.docker.io/v1/", "index.docker.io"),
            ("http://gcr.io/v2/x", "gcr.io/x"),
            ("registry:5000", "registry:5000"),
            ("quay.io/team/", "quay.io/team/"),
            ("quay.io/", "quay.io"),
            ("docker.io/v1", "docker.io"),
        ];
        for (entry, expected) in table {
            assert_eq!(key(entry), expected, "{entry}");
        }
        let fitting = [
            ("kubernetes.io", "kubernetes.io/a", true),
            ("*.kubernetes.io", "prefix.kubernetes.io/a", true),
            ("*.kubernetes.io", "kubernetes.io/a", false),
            ("*.kubernetes.io", "a.b.kubernetes.io/a", false),
            ("*.*.kubernetes.io", "a.b.kubernetes.io/a", true),
            ("prefix.*.io", "prefix.kubernetes.io/a", true),
            ("*-good.kubernetes.io", "prefix-good.kubernetes.io/a", true),
            ("*-bad.kubernetes.io", "prefix-good.kubernetes.io/a", false),
            ("registry:5000", "registry:5000/a", true),
            ("registry:5000", "registry:5001/a", false),
            ("registry.io", "registry.io:5000/a", false),
            ("*.example.com:5000/team", "r.example.com:5000/team/a", true),
            ("*.example.com:5000/team", "r.example.com:5000/other/a", false),
            ("quay.io/te", "quay.io/team/a", true),
        ];
        for (key, image, fit) in fitting {
            assert_eq!(fits(key, &image.parse().unwrap()), fit, "{key} {image}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_text_fits_itself_and_a_star_fits_all(text in "[a-z0-9-]{0,12}") {
            assert!(glob_fits(text.as_bytes(), text.as_bytes()));
            assert!(glob_fits(b"*", text.as_bytes()));
            assert!(glob_fits(format!("*{text}*").as_bytes(), text.as_bytes()));
        }
    }
}
