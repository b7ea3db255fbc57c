//! Histograms whose counts come from the database.

use std::fmt::Debug;

use pointsman_store::views::metrics::Spread;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// How times spread, by labels.
#[derive(Debug)]
pub(super) struct Times<L> {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) spreads: Vec<(L, Spread)>,
}

impl<L: EncodeLabelSet + Debug + Send + Sync + 'static> Collector for Times<L> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let unit = Some(&Unit::Seconds);
        let mut metric = encoder.encode_descriptor(self.name, self.help, unit, MetricType::Histogram)?;
        for (labels, spread) in &self.spreads {
            let mut series = metric.encode_family(labels)?;
            series.encode_histogram::<NoLabelSet>(spread.sum(), spread.count(), &spread.buckets(), None)?;
        }
        Ok(())
    }
}
