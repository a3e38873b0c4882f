//! Whether the image policy lets an image come.
//!
//! Asked before any layer comes. Signatures are fetched from where the image is, and kept nowhere: who
//! wants the image again asks for them again, so that a new policy counts from its first day on.

use oci_spec::image::Descriptor;
use reqwest::{Method, StatusCode};
use wasmpod_images::digest::Digest;
use wasmpod_images::layout::{Content, LayoutError, Manifest};
use wasmpod_images::policy::{
    MOST_PAYLOAD_BYTES, Rule, Signers, Unsigned, signature_tag, signatures,
};
use wasmpod_images::reference::Reference;

use super::manifest;
use crate::body::read_all;
use crate::error::Failure;
use crate::options::Options;
use crate::retry::retry;
use crate::session::{Call, Session};

/// Before a registry is asked at all.
pub(super) fn may_be_asked_for(options: &Options, reference: &Reference) -> Result<(), Failure> {
    match rule(options, reference) {
        Rule::Accept | Rule::Signed(_) => Ok(()),
        Rule::Reject { pattern } => {
            let by = match pattern {
                Some(pattern) => format!("images of {pattern:?}"),
                None => "images that it has no pattern for".to_owned(),
            };
            Err(Failure::Rejected(format!("the image policy rejects {by}")))
        }
    }
}

/// Whether somebody has signed it who should: the image, or the index that it was chosen from, which
/// names it by its digest.
pub(super) async fn check(
    session: &Session<'_>,
    reference: &Reference,
    digests: &[&Digest; 2],
) -> Result<(), Failure> {
    let Rule::Signed(signers) = rule(session.options, reference) else { return Ok(()) };
    let [root, image] = digests;
    let mut problem = verify(session, reference, root, signers).await?;
    if problem.is_some() && root != image {
        // What is said of the index is what the user knows the image by, unless there is nothing.
        let of_image = verify(session, reference, image, signers).await?;
        problem = of_image.and(problem);
    }
    let Some(problem) = problem else { return Ok(()) };
    Err(Failure::Rejected(format!(
        "the image policy wants images of {:?} to be signed: {problem}",
        signers.pattern()
    )))
}

fn rule<'a>(options: &'a Options, reference: &Reference) -> Rule<'a> {
    options.policy.as_ref().map_or(Rule::Accept, |policy| policy.rule(reference))
}

/// Why no signature of this digest counts; none if one does.
async fn verify(
    session: &Session<'_>,
    reference: &Reference,
    digest: &Digest,
    signers: &Signers,
) -> Result<Option<String>, Failure> {
    let limits = session.options.limits;
    let tag = signature_tag(digest);
    let bytes = match retry(limits, || manifest::tagged(session, &tag)).await {
        Ok(bytes) => bytes,
        Err(Failure::NotFound(_)) => return Ok(Some(format!("there is no signature {tag}"))),
        Err(failure) => return Err(failure),
    };
    let parsed = Manifest::parse(Digest::sha256(&bytes), bytes);
    let Content::Image(manifest) =
        parsed.map_err(|error: LayoutError| Failure::from(error))?.content
    else {
        return Ok(Some(format!("{tag} is an index")));
    };
    let mut problem: Option<Unsigned> = None;
    for signature in signatures(&manifest) {
        let payload = retry(limits, || fetch(session, &signature.payload)).await?;
        match signers.verify(reference, digest, &payload, &signature.signature) {
            Ok(_) => return Ok(None),
            // One that was made by a right key tells more than one that was not.
            Err(Unsigned::OtherKey) => {
                problem.get_or_insert(Unsigned::OtherKey);
            }
            Err(other) => problem = Some(other),
        }
    }
    let problem = problem.map(|problem| problem.to_string());
    Ok(Some(problem.unwrap_or_else(|| format!("{tag} has no signature of cosign"))))
}

/// What was signed.
async fn fetch(session: &Session<'_>, payload: &Descriptor) -> Result<Vec<u8>, Failure> {
    let digest = Digest::of(payload)?;
    let call = Call::new(Method::GET, session.url(&format!("blobs/{digest}"))?);
    let response = session.send(call).await?;
    if response.status() != StatusCode::OK {
        return Err(session.failure(&Method::GET, &digest.to_string(), response).await);
    }
    let bytes = read_all(response, MOST_PAYLOAD_BYTES, session.options.limits).await?;
    let bytes = bytes.ok_or_else(|| Failure::too_long(payload.size()))?;
    let actual = digest.of_same_kind(&bytes);
    if actual == digest { Ok(bytes) } else { Err(Failure::wrong_digest(&digest, &actual)) }
}
