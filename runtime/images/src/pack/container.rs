//! A container image of the platform `wasi/wasm`: one layer, with the program in its root.

use std::collections::BTreeMap;

use oci_spec::image::{Descriptor, MediaType};
use serde::Serialize;

use super::Blobs;
use super::error::PackError;
use super::files::Files;
use super::input::{Module, Pack};
use crate::artifact::Protocol;
use crate::digest::Digest;

pub(super) const ARCHITECTURE: &str = "wasm";

/// Fields in the order of the specification, maps sorted: the same image has the same digest.
#[derive(Serialize)]
struct Configuration<'image> {
    created: &'image str,
    architecture: &'image str,
    os: &'image str,
    config: Config<'image>,
    rootfs: RootFs,
    history: [History<'image>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Config<'image> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    exposed_ports: BTreeMap<String, Nothing>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    entrypoint: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_dir: Option<&'image str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'image BTreeMap<String, String>,
}

/// `{}`, by which the specification makes a set of a map.
#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct RootFs {
    #[serde(rename = "type")]
    kind: &'static str,
    diff_ids: [String; 1],
}

#[derive(Serialize)]
struct History<'image> {
    created: &'image str,
    created_by: &'static str,
}

/// Of the manifest, by `oci-spec`, the annotations come in any order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'image> {
    schema_version: u32,
    media_type: MediaType,
    config: &'image Descriptor,
    layers: &'image [Descriptor],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'image BTreeMap<&'image str, &'image str>,
}

pub(super) fn write(
    pack: &Pack,
    module: Module,
    blobs: &mut dyn Blobs,
) -> Result<Descriptor, PackError> {
    let mut entrypoint = vec![format!("/{}", module.name)];
    entrypoint.extend_from_slice(&pack.arguments);
    let mut files = Files::default();
    files.add_module(module)?;
    for (from, to) in &pack.files {
        files.add(from, to)?;
    }
    let archive = files.archive(pack.created)?;
    let diff_id = Digest::sha256(&archive);
    // Compressed bytes depend on the version of who compresses, and the digest on them. CNCF's layout
    // does not compress either.
    let layer = blobs.put(MediaType::ImageLayer, &archive).map_err(PackError::Store)?;
    let created = moment(pack.created);
    let configuration = Configuration {
        created: &created,
        architecture: ARCHITECTURE,
        os: "wasi",
        config: Config {
            exposed_ports: ports(pack),
            env: pack.env.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            entrypoint,
            working_dir: pack.working_dir.as_deref(),
            labels: &pack.labels,
        },
        rootfs: RootFs { kind: "layers", diff_ids: [diff_id.to_string()] },
        history: [History { created: &created, created_by: "wasmpod image pack" }],
    };
    let config = serde_json::to_vec(&configuration);
    let config = config.map_err(|error| PackError::Store(error.into()))?;
    let config = blobs.put(MediaType::ImageConfig, &config).map_err(PackError::Store)?;
    manifest(&config, &[layer], &BTreeMap::new(), blobs)
}

fn ports(pack: &Pack) -> BTreeMap<String, Nothing> {
    let ports = pack.exposed_ports.iter().map(|exposed| {
        let protocol = match exposed.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        (format!("{}/{protocol}", exposed.port), Nothing {})
    });
    ports.collect()
}

pub(super) fn manifest(
    config: &Descriptor,
    layers: &[Descriptor],
    annotations: &BTreeMap<&str, &str>,
    blobs: &mut dyn Blobs,
) -> Result<Descriptor, PackError> {
    let media_type = MediaType::ImageManifest;
    let manifest =
        Manifest { schema_version: 2, media_type: media_type.clone(), config, layers, annotations };
    let manifest = serde_json::to_vec(&manifest).map_err(|error| PackError::Store(error.into()))?;
    blobs.put(media_type, &manifest).map_err(PackError::Store)
}

/// Seconds since 1970 as RFC 3339 writes them, in UTC.
///
/// Rule: Howard Hinnant's `civil_from_days`, for years from 1970 on.
pub(super) fn moment(seconds: u64) -> String {
    const DAY: u64 = 24 * 60 * 60;
    // The calendar repeats itself every 400 years; the last second of 9999 is what RFC 3339 can say.
    const LAST: u64 = 253_402_300_799;
    let seconds = seconds.min(LAST);
    let (days, second) = (seconds / DAY + 719_468, seconds % DAY);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn moments_are_those_of_date() {
        // `date -u -d @… +%FT%TZ`
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(moment(seconds), expected);
        }
    }
}
