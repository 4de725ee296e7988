//! Pages by `page-size` and `token`. A token names the last item told, so that items which come or go meanwhile leave
//! the other pages as they are.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::failure::Failure;

/// Items of a page when the request does not say.
const DEFAULT_PAGE_SIZE: usize = 100;

/// Which page is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PageRequest {
    size: usize,
    /// The sequence number of the last item told before.
    after: Option<u64>,
}

/// What a token holds: JSON in base64, as Pinpoint's own tokens are.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Token {
    after: u64,
}

impl PageRequest {
    /// Reads `page-size` and `token` out of a query.
    pub(super) fn parse(query: &str) -> Result<Self, Failure> {
        let mut request = PageRequest { size: DEFAULT_PAGE_SIZE, after: None };
        for (name, value) in query.split('&').filter_map(|member| member.split_once('=')) {
            let value = percent_decode_str(value).decode_utf8_lossy();
            match name {
                "page-size" => {
                    let size = value.parse().ok().filter(|size| (1..=1_000).contains(size));
                    request.size = size
                        .ok_or_else(|| Failure::bad_request("page-size must be a number from 1 to 1000."))?;
                }
                "token" => {
                    let token = STANDARD.decode(value.as_bytes()).ok();
                    let token: Option<Token> = token.and_then(|token| serde_json::from_slice(&token).ok());
                    request.after = Some(token.ok_or_else(|| Failure::bad_request("Invalid token."))?.after);
                }
                _ => {}
            }
        }
        Ok(request)
    }

    /// The page out of all items, which come with ascending sequence numbers, and the token of the next one.
    pub(super) fn cut<T>(&self, items: impl Iterator<Item = (u64, T)>) -> (Vec<T>, Option<String>) {
        let mut rest = items.filter(|(sequence, _)| self.after.is_none_or(|after| *sequence > after));
        let (mut page, mut last) = (Vec::new(), None);
        for (sequence, item) in rest.by_ref().take(self.size) {
            page.push(item);
            last = Some(sequence);
        }
        let last = if rest.next().is_some() { last } else { None };
        let token = last.and_then(|after| serde_json::to_vec(&Token { after }).ok());
        (page, token.map(|token| STANDARD.encode(token)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_every_item_once() -> Result<(), Failure> {
        let items = || (10..17_u64).map(|sequence| (sequence, sequence));
        let (mut all, mut query) = (Vec::new(), "page-size=3".to_owned());
        let mut pages = 0;
        loop {
            let (page, token) = PageRequest::parse(&query)?.cut(items());
            all.extend(page);
            pages += 1;
            let Some(token) = token else { break };
            query = format!("page-size=3&token={}", token.replace('=', "%3D"));
        }
        assert_eq!((all, pages), ((10..17).collect::<Vec<_>>(), 3));
        Ok(())
    }

    #[test]
    fn nonsense_is_refused() {
        for query in ["page-size=0", "page-size=many", "page-size=-1", "token=nonsense", "token=e30%3D"] {
            assert!(PageRequest::parse(query).is_err(), "{query}");
        }
        assert!(PageRequest::parse("").is_ok());
    }
}
