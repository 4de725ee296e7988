//! Bodies that break on their way.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_LENGTH, HeaderValue};

use super::{Fault, Strike};
use crate::listener::{BodyError, ResetSwitch, ResponseBody};

/// The pause between two bytes of a body that drips.
const DRIP_INTERVAL: Duration = Duration::from_secs(1);

/// The answer with the fault in its body. Faults that have nothing to do with bodies change nothing.
pub(crate) fn spoil(
    mut response: Response<ResponseBody>,
    strike: &Strike,
    reset: Option<ResetSwitch>,
) -> Response<ResponseBody> {
    let length = promised_length(&response);
    let at = length * u64::from(strike.body_per_mille) / 1_000;
    let plan = match &strike.fault {
        Fault::ResetMidBody => Plan::Break { at, reset },
        Fault::ShortBody => Plan::Break { at, reset: None },
        Fault::TruncatedBody => Plan::End { at },
        Fault::FlipBit => Plan::Flip { at: at.min(length.saturating_sub(1)) },
        Fault::StalledBody => Plan::Hang { at },
        Fault::Drip => Plan::Drip { at, next: Box::pin(tokio::time::sleep(DRIP_INTERVAL)) },
        _ => return response,
    };
    if matches!(plan, Plan::End { .. }) {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(at));
    }
    response
        .map(|inner| SpoiledBody { inner, plan, sent: 0, paused: false, kept: Bytes::new() }.boxed_unsync())
}

/// Whether a request gets no answer: at once where its connection is dropped, never where it is to hang.
pub(crate) async fn is_unanswered(strike: Option<&Strike>, reset: Option<&ResetSwitch>) -> bool {
    match strike.map(|strike| &strike.fault) {
        Some(Fault::Dropped) => {
            if let Some(reset) = reset {
                reset.arm();
            }
            true
        }
        // The connection ends it, when the client has had enough.
        Some(Fault::StalledHeader) => std::future::pending().await,
        _ => false,
    }
}

/// The length of the body as the answer's header or the body itself tells it; 0 where neither does.
fn promised_length(response: &Response<ResponseBody>) -> u64 {
    let header = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    header.or_else(|| response.body().size_hint().exact()).unwrap_or(0)
}

/// What is done to a body.
#[derive(Debug)]
enum Plan {
    /// Fails behind this many bytes, by a reset where there is a switch for it.
    Break { at: u64, reset: Option<ResetSwitch> },
    /// Ends behind this many bytes.
    End { at: u64 },
    /// Sends nothing behind this many bytes, and does not end.
    Hang { at: u64 },
    /// Sends a byte at a time behind this many.
    Drip { at: u64, next: Pin<Box<tokio::time::Sleep>> },
    /// Flips a bit of the byte at this place.
    Flip { at: u64 },
}

/// A body with a plan for it.
struct SpoiledBody {
    inner: ResponseBody,
    plan: Plan,
    sent: u64,
    /// Whether the pause before a break was made.
    paused: bool,
    /// What a drip has still to send.
    kept: Bytes,
}

impl SpoiledBody {
    /// The next chunk as the plan wants it; `None` where nothing of it may be sent.
    fn shape(&mut self, mut chunk: Bytes) -> Option<Bytes> {
        let start = self.sent;
        match self.plan {
            Plan::Break { at, .. } | Plan::End { at } | Plan::Hang { at } => {
                let room = usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
                chunk.truncate(room);
            }
            Plan::Drip { at, .. } => {
                let room = usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
                self.kept = chunk.split_off(room.min(chunk.len()));
            }
            Plan::Flip { at } => {
                let place = at.checked_sub(start).and_then(|place| usize::try_from(place).ok());
                if let Some(place) = place.filter(|&place| place < chunk.len()) {
                    let mut copy = BytesMut::from(chunk.as_ref());
                    copy[place] ^= 1;
                    chunk = copy.freeze();
                }
            }
        }
        self.sent += chunk.len() as u64;
        (!chunk.is_empty()).then_some(chunk)
    }

    /// What comes where the plan lets no more bytes pass.
    fn stop(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if matches!(self.plan, Plan::End { .. } | Plan::Flip { .. }) {
            return Poll::Ready(None);
        }
        if !self.paused {
            // A pause lets the connection send what it has: the break comes in mid-body, not before it.
            self.paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        // For the others nobody wakes it: the client must go away.
        let Plan::Break { reset, .. } = &self.plan else { return Poll::Pending };
        if let Some(reset) = reset {
            reset.arm();
        }
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionReset).into())))
    }
}

impl SpoiledBody {
    /// The next byte of a drip, when it is time; `None` where it has nothing to send.
    fn drop_of(&mut self, context: &mut Context<'_>) -> Option<Poll<Bytes>> {
        let Plan::Drip { next, .. } = &mut self.plan else { return None };
        if self.kept.is_empty() {
            return None;
        }
        if next.as_mut().poll(context).is_pending() {
            return Some(Poll::Pending);
        }
        next.as_mut().reset(tokio::time::Instant::now() + DRIP_INTERVAL);
        self.sent += 1;
        Some(Poll::Ready(self.kept.split_to(1)))
    }
}

impl Body for SpoiledBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(drip) = self.drop_of(context) {
            return drip.map(|byte| Some(Ok(Frame::data(byte))));
        }
        if let Plan::Break { at, .. } | Plan::End { at } | Plan::Hang { at } = self.plan
            && self.sent >= at
        {
            return self.stop(context);
        }
        match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(chunk) => match self.shape(chunk) {
                    Some(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
                    None if matches!(self.plan, Plan::Drip { .. }) => {
                        // All of the chunk is kept: the drip begins.
                        context.waker().wake_by_ref();
                        Poll::Pending
                    }
                    None => self.stop(context),
                },
                Err(trailers) => Poll::Ready(Some(Ok(trailers))),
            },
            other => other,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self.plan {
            Plan::End { at } => SizeHint::with_exact(at.saturating_sub(self.sent)),
            Plan::Drip { .. } => SizeHint::default(),
            _ => self.inner.size_hint(),
        }
    }
}
