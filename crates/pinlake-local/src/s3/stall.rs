//! Bodies of requests that stop coming: an upload may take long, but not pause for ever.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::listener::BodyError;

/// Whether a request's body stopped coming. Shared by the body and whoever answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Stalled(Arc<AtomicBool>);

impl Stalled {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A body that fails where nothing comes for some time.
pub(super) struct PatientBody {
    body: Incoming,
    pause: Duration,
    /// Until when the next bytes must come.
    deadline: Pin<Box<Sleep>>,
    stalled: Stalled,
}

impl PatientBody {
    pub(super) fn new(body: Incoming, pause: Duration, stalled: Stalled) -> Self {
        Self { body, pause, deadline: Box::pin(tokio::time::sleep(pause)), stalled }
    }
}

impl Body for PatientBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let until = Instant::now() + self.pause;
            self.deadline.as_mut().reset(until);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.deadline.as_mut().poll(context));
        self.stalled.0.store(true, Ordering::Release);
        Poll::Ready(Some(Err("the body stopped coming".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
