//! Installing: a release's objects become a folder beside the live one. Nobody who visits the site can notice.

mod fetch;
mod shared;
mod space;
mod work;

pub use work::InstallWork;
