//! A Secret: how long its values are, not what they are.

use k8s_openapi::api::core::v1::Secret;

use super::metadata;
use super::sheet::Sheet;

pub(super) fn describe(sheet: &mut Sheet, secret: &Secret) {
    metadata::opening(sheet, &secret.metadata);
    let type_ = secret.type_.as_deref().unwrap_or_default();
    sheet.write(0, format!("\nType:\t{type_}\n"));
    sheet.write(0, "\nData\n====\n");
    for (key, bytes) in secret.data.iter().flatten() {
        // A token is shown: whoever describes it wants to log in.
        if key == "token" && type_ == "kubernetes.io/service-account-token" {
            sheet.field(0, key, String::from_utf8_lossy(&bytes.0));
        } else {
            sheet.field(0, key, format!("{} bytes", bytes.0.len()));
        }
    }
}
