//! The monitor against a mock guest: every edge case, and a failure at every driver call.

mod breakpoints;
mod calls;
mod dispatch_faults;
mod ending;
mod faults;
mod hurried;
mod live;
mod mock;
mod own_views;
mod page_tables;
mod paging;
mod patches;
mod reload;
mod rights;
mod scene;
mod scopes;
mod search;
mod steps;
mod world;
