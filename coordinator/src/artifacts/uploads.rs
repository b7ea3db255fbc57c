//! Uploads into a bucket that were begun and never completed, as a coordinator leaves them that was killed meanwhile.
//! They are in no list of objects, and are paid for.

use std::time::Duration;

use chrono::{DateTime, Utc};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer as _};
use serde::Deserialize;

/// How long a signed address is good for, and longest wait for an answer.
const GOOD: Duration = Duration::from_secs(30);
/// Pages read at most; the next sweep goes on.
const PAGES: usize = 100;

/// An upload under way or left over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Upload {
    pub(super) place: Path,
    pub(super) id: String,
}

/// Asks for uploads, which the store's own client has no request for.
#[derive(Debug)]
pub(super) struct Uploads {
    client: reqwest::Client,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_key_marker: String,
    #[serde(default)]
    next_upload_id_marker: String,
    #[serde(default, rename = "Upload")]
    uploads: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    key: String,
    upload_id: String,
    initiated: DateTime<Utc>,
}

impl Uploads {
    /// Trusts the certificates of `ca` (PEM) alone, or the system's.
    pub(super) fn new(ca: Option<&[u8]>) -> object_store::Result<Self> {
        let mut builder = reqwest::Client::builder().timeout(GOOD);
        if let Some(pem) = ca {
            builder = builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(pem).map_err(failed)?);
        }
        let client = builder.build().map_err(failed)?;
        Ok(Self { client })
    }

    /// Uploads below `prefix` that were begun before a moment.
    pub(super) async fn unfinished(
        &self,
        bucket: &AmazonS3,
        prefix: &Path,
        before: DateTime<Utc>,
    ) -> object_store::Result<Vec<Upload>> {
        let mut found = Vec::new();
        let mut markers = Vec::new();
        for _ in 0..PAGES {
            let page = self.page(bucket, prefix, markers).await?;
            for listed in page
                .uploads
                .into_iter()
                .filter(|upload| upload.initiated < before)
            {
                found.push(Upload {
                    place: Path::parse(&listed.key)?,
                    id: listed.upload_id,
                });
            }
            if !page.is_truncated {
                break;
            }
            markers = vec![
                ("key-marker", page.next_key_marker),
                ("upload-id-marker", page.next_upload_id_marker),
            ];
        }
        Ok(found)
    }

    async fn page(
        &self,
        bucket: &AmazonS3,
        prefix: &Path,
        markers: Vec<(&str, String)>,
    ) -> object_store::Result<Page> {
        let mut query = vec![("uploads", String::new())];
        if *prefix != Path::default() {
            query.push(("prefix", format!("{prefix}/")));
        }
        query.extend(markers);
        let options = SignedUrlOptions::default().with_query(query);
        let signed = bucket
            .signed_url_opts(reqwest::Method::GET, &Path::default(), GOOD, &options)
            .await?;
        // The address holds a signature: it stands in no error.
        let answer = self.client.get(signed).send().await;
        let answer = answer.map_err(|error| failed(error.without_url()))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| failed(error.without_url()))?;
        if !status.is_success() {
            return Err(failed(format!("listing uploads: {status}: {text}")));
        }
        quick_xml::de::from_str(&text).map_err(failed)
    }
}

fn failed(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> object_store::Error {
    object_store::Error::Generic {
        store: "S3",
        source: source.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_services_write_it() {
        let text = r#"<?xml version="1.0" encoding="UTF-8"?>
            <ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
              <Bucket>artifacts</Bucket><KeyMarker></KeyMarker><UploadIdMarker/>
              <NextKeyMarker>p/archives/b</NextKeyMarker><NextUploadIdMarker>id-2</NextUploadIdMarker>
              <MaxUploads>2</MaxUploads><IsTruncated>true</IsTruncated>
              <Upload><Key>p/archives/a</Key><UploadId>id-1</UploadId>
                <Initiator><ID>x</ID></Initiator><StorageClass>STANDARD</StorageClass>
                <Initiated>2026-06-01T10:20:30.000Z</Initiated></Upload>
              <Upload><Key>p/archives/b</Key><UploadId>id-2</UploadId><Initiated>2026-06-02T10:20:30Z</Initiated></Upload>
            </ListMultipartUploadsResult>"#;
        let page: Page = quick_xml::de::from_str(text).unwrap();
        assert!(page.is_truncated);
        assert_eq!(page.next_upload_id_marker, "id-2");
        assert_eq!(page.uploads[0].key, "p/archives/a");
        assert_eq!(
            page.uploads[1].initiated.to_rfc3339(),
            "2026-06-02T10:20:30+00:00"
        );
    }

    #[test]
    fn no_upload_is_a_page_too() {
        let text =
            "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>";
        let page: Page = quick_xml::de::from_str(text).unwrap();
        assert!(page.uploads.is_empty() && !page.is_truncated);
    }
}
