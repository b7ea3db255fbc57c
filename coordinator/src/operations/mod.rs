//! One door per verb: each file authorizes, decides through the domain, writes in one transaction.
