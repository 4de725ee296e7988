//! Pieces as tables: what joins the pipeline's scans to the session, and what is told of them after a query.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use pinlake_decode::{ColumnSelection, endpoint_schema};
use pinlake_ingest::{Rejected, Scan, ScanRequest};
use pinlake_report::{OutsideError, PieceReader, PieceRequest, RowPart};
use pinlake_source::{Aws, Filter, Source};
use tokio::sync::OnceCell;

use crate::commands::analysis::reading_limits;
use crate::commands::fetch::tell_skipped;
use crate::settings::Settings;
use crate::ui::{self, Ui};

/// A scan with the place that the query names.
type NamedScan = (String, Arc<Scan>);

/// The scans of the query that runs, with the places that it names.
#[derive(Clone, Debug, Default)]
pub(crate) struct PieceLog {
    scans: Arc<Mutex<Vec<NamedScan>>>,
}

impl PieceLog {
    /// Reads pieces for a session and keeps account of them here.
    pub(super) fn reader(&self, settings: &Settings) -> PieceReader {
        let (log, settings, aws) = (self.clone(), Arc::new(settings.clone()), Arc::new(OnceCell::new()));
        PieceReader::new(endpoint_schema(), move |request| {
            let (log, settings, aws) = (log.clone(), Arc::clone(&settings), Arc::clone(&aws));
            async move { log.open(request, &settings, &aws).await }
        })
    }

    /// Lists the pieces at a place.
    async fn open(
        &self,
        request: PieceRequest,
        settings: &Settings,
        aws: &OnceCell<Aws>,
    ) -> Result<Vec<RowPart>, OutsideError> {
        let source: Source = request.place.parse().map_err(OutsideError::new)?;
        let aws = if source.is_s3() {
            let options = settings.aws_options(None, None);
            Some(aws.get_or_init(|| Aws::connect(&options)).await.clone())
        } else {
            None
        };
        let filter = Filter::converted().map_err(OutsideError::new)?;
        let scan = ScanRequest { source, aws, filter, limits: reading_limits(settings) };
        let scan = Arc::new(Scan::list(scan).await.map_err(OutsideError::new)?);
        let columns = ColumnSelection::of(request.columns);
        let parts = scan.parts(columns, request.limit, request.parts).map_err(OutsideError::new)?;
        self.scans.lock().unwrap_or_else(PoisonError::into_inner).push((request.place, scan));
        Ok(parts.into_iter().map(|part| RowPart::new(move || part.rows().into_stream())).collect())
    }

    /// Tells what the query passed over: files that are no pieces, and lines that are no endpoints. The lines are told also to
    /// whoever wants quiet, for they are missing in the result.
    pub(crate) fn tell(&self, ui: Ui) {
        let scans = std::mem::take(&mut *self.scans.lock().unwrap_or_else(PoisonError::into_inner));
        // A query that reads a place twice finds the same twice.
        let places: BTreeMap<String, Vec<Arc<Scan>>> =
            scans.into_iter().fold(BTreeMap::new(), |mut places, (place, scan)| {
                places.entry(place).or_insert_with(Vec::new).push(scan);
                places
            });
        for (place, scans) in places {
            if let Some(scan) = scans.first() {
                tell_skipped(ui, scan.skipped());
            }
            let most = scans.iter().map(|scan| scan.rejected()).max_by_key(|rejected| rejected.lines);
            if let Some(Rejected { lines: lines @ 1.., example }) = most {
                let example = example.unwrap_or_default();
                let (were, they) = if lines == 1 {
                    ("line was", "it is no endpoint")
                } else {
                    ("lines were", "they are no endpoints")
                };
                ui::warn(format!(
                    "warning: {} {were} rejected in {place}: {they}, and not among the rows ({example})",
                    ui::count(lines)
                ));
            }
        }
    }
}
