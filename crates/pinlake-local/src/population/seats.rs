//! Who shares a user: the seating of a population.
//!
//! A population is cut into pages of 100 endpoints. A page has a fixed seating: which of its places belong to the same
//! user, how many users it has, which places have none. That makes users with several endpoints, some of them at
//! Pinpoint's limit of 15, a function of the index alone; nothing has to be remembered or shared between threads.

use super::draw::{Draw, Stream};

/// Endpoints on a page.
const PAGE: usize = 100;

/// Numbers reserved for the users of one page: more than any seating has.
const USERS_PER_PAGE: u64 = 64;

/// Coprime to [`PAGE`], so that a step of it visits every place: one user's endpoints do not stand side by side.
const SPREAD: usize = 37;

/// (users, endpoints of each) on most pages: 15 places without a user, and users with one to five endpoints.
const ORDINARY: [Seat; PAGE] = seating(&[(40, 1), (12, 2), (4, 3), (1, 4), (1, 5)]);

/// The same on one page in twenty: a user has the 15 endpoints that Pinpoint allows at most.
const CROWDED: [Seat; PAGE] = seating(&[(35, 1), (10, 2), (5, 3), (1, 15)]);

/// One place on a page.
#[derive(Debug, Clone, Copy)]
struct Seat {
    /// The user's number on its page, or `None` for an endpoint without a user.
    user: Option<u8>,
    /// Which of the user's endpoints this is, from 0.
    ordinal: u8,
}

/// The user an endpoint belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Membership {
    /// The user's number in the population; `None` for an endpoint without a user.
    pub(super) user: Option<u64>,
    /// Which of the user's endpoints this is, from 0.
    pub(super) ordinal: u8,
}

/// The user of the endpoint with this index.
#[expect(clippy::cast_possible_truncation, reason = "a remainder of 100 fits a usize")]
pub(super) fn membership(seed: u64, index: u64) -> Membership {
    let page = index / PAGE as u64;
    let place = (index % PAGE as u64) as usize * SPREAD % PAGE;
    let crowded = Draw::new(seed, Stream::Page, page).below(20) == 0;
    let seat = if crowded { CROWDED[place] } else { ORDINARY[place] };
    Membership { user: seat.user.map(|user| page * USERS_PER_PAGE + u64::from(user)), ordinal: seat.ordinal }
}

/// Lays out one page; the places that are left have no user.
#[expect(clippy::cast_possible_truncation, reason = "users and ordinals are below 100")]
const fn seating(groups: &[(usize, usize)]) -> [Seat; PAGE] {
    let mut seats = [Seat { user: None, ordinal: 0 }; PAGE];
    let (mut place, mut user, mut group) = (0, 0, 0);
    while group < groups.len() {
        let (users, endpoints) = groups[group];
        let end = user + users;
        while user < end {
            let mut ordinal = 0;
            while ordinal < endpoints {
                seats[place] = Seat { user: Some(user as u8), ordinal: ordinal as u8 };
                place += 1;
                ordinal += 1;
            }
            user += 1;
        }
        group += 1;
    }
    seats
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn users_have_one_to_fifteen_endpoints_and_never_more() {
        let mut endpoints_per_user: BTreeMap<u64, u32> = BTreeMap::new();
        let mut anonymous = 0;
        for index in 0..10_000 {
            match membership(1, index).user {
                Some(user) => *endpoints_per_user.entry(user).or_default() += 1,
                None => anonymous += 1,
            }
        }
        let mut sizes: BTreeMap<u32, u32> = BTreeMap::new();
        for endpoints in endpoints_per_user.values() {
            *sizes.entry(*endpoints).or_default() += 1;
        }
        assert_eq!(sizes.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 15]);
        assert_eq!(anonymous, 1_500);
    }
}
