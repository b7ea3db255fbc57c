//! The address of a page as a QR code: whoever stands before a screen takes the page along on a phone.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use pointsman_domain::Refusal;
use pointsman_store::views;
use qrcode::QrCode;
use qrcode::render::svg::Color;

use super::super::extract::Path;
use super::super::problem::Answer;
use super::viewer::Viewer;
use crate::error::OperationError;

/// Least width and height, in CSS pixels.
const SIZE: u32 = 220;

/// `GET /d/{number}/qr.svg`
pub(super) async fn deployment(viewer: Viewer, Path(number): Path<i64>) -> Answer<Response> {
    let mut conn = viewer.app().store.read().await?;
    let known = views::deployments::one(&mut conn, number).await?;
    let unknown = || Refusal::not_found("unknown_deployment", format!("there is no deployment #{number}"));
    known.ok_or_else(unknown)?;
    let here = viewer.app().config.http.public_url.as_str().trim_end_matches('/');
    let code = QrCode::new(format!("{here}/d/{number}"))
        .map_err(|error| OperationError::internal("drawing a QR code", error))?;
    let svg = code
        .render::<Color<'_>>()
        .min_dimensions(SIZE, SIZE)
        .dark_color(Color("#000"))
        .light_color(Color("#fff"))
        .build();
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}
