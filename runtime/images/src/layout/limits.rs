//! How large a stranger's image may be where it has to be held in memory.

/// The bytes of a manifest or index. The distribution specification asks registries to take 4 MiB,
/// and none of the large ones takes more.
pub const MOST_MANIFEST_BYTES: u64 = 4 << 20;

/// The layers of one image: overlayfs stacks 500, so no image that ever ran has more.
pub const MOST_LAYERS: usize = 500;

/// The bytes of `index.json`: some hundred thousand names. It is ours, but others may write it too.
pub(super) const MOST_INDEX_BYTES: u64 = 64 << 20;
