//! Bodies that break on their way.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_LENGTH, HeaderValue};

use super::Fault;
use crate::listener::{BodyError, ResetSwitch, ResponseBody};

/// The answer with the fault in its body. Faults that have nothing to do with bodies change nothing.
pub(crate) fn spoil(
    mut response: Response<ResponseBody>,
    fault: &Fault,
    reset: Option<ResetSwitch>,
) -> Response<ResponseBody> {
    let length = promised_length(&response);
    let half = length / 2;
    let plan = match fault {
        Fault::ResetMidBody => Plan::Break { at: half, reset },
        Fault::ShortBody => Plan::Break { at: half, reset: None },
        Fault::TruncatedBody => Plan::End { at: half },
        Fault::FlipBit => Plan::Flip { at: half },
        Fault::Status { .. } | Fault::StaleETag => return response,
    };
    if matches!(plan, Plan::End { .. }) {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(half));
    }
    response.map(|inner| SpoiledBody { inner, plan, sent: 0, paused: false }.boxed_unsync())
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
}

impl SpoiledBody {
    /// The next chunk as the plan wants it; `None` where nothing of it may be sent.
    fn shape(&mut self, mut chunk: Bytes) -> Option<Bytes> {
        let start = self.sent;
        match self.plan {
            Plan::Break { at, .. } | Plan::End { at } => {
                let room = usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
                chunk.truncate(room);
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
        let Plan::Break { reset, .. } = &self.plan else { return Poll::Ready(None) };
        if !self.paused {
            // A pause lets the connection send what it has: the break comes in mid-body, not before it.
            self.paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(reset) = reset {
            reset.arm();
        }
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionReset).into())))
    }
}

impl Body for SpoiledBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Plan::Break { at, .. } | Plan::End { at } = self.plan
            && self.sent >= at
        {
            return self.stop(context);
        }
        match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(chunk) => match self.shape(chunk) {
                    Some(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
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
            Plan::Break { .. } | Plan::Flip { .. } => self.inner.size_hint(),
        }
    }
}
