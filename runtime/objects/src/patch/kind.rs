//! Which kind of patch it is.

/// `--type` of `kubectl patch`, or the `Content-Type` of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PatchKind {
    /// `application/strategic-merge-patch+json`: lists are merged as their kind asks for.
    #[default]
    Strategic,
    /// `application/merge-patch+json`: lists are replaced.
    Merge,
    /// `application/json-patch+json`: a list of operations.
    Json,
}

const ALL: [PatchKind; 3] = [PatchKind::Strategic, PatchKind::Merge, PatchKind::Json];

impl PatchKind {
    /// The media type of such a patch.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::Json => "application/json-patch+json",
        }
    }

    /// The kind of a patch with this `Content-Type`.
    pub fn of_content_type(text: &str) -> Option<Self> {
        let media_type = text.split(';').next().unwrap_or_default().trim();
        ALL.into_iter().find(|kind| kind.content_type() == media_type)
    }

    /// The kind that `--type` names.
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "strategic" => Some(Self::Strategic),
            "merge" => Some(Self::Merge),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}
