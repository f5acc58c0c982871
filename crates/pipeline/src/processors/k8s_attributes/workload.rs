//! What has made a pod: its owner, and the owner's owner.
//!
//! No look-up at the API is needed for a Deployment. Its controller names a ReplicaSet `DEPLOYMENT-HASH`, and puts the same
//! hash into the label `pod-template-hash` of the ReplicaSet's pods. Only if both agree, the ReplicaSet is a Deployment's. A
//! Job does not show its CronJob in such a way, so that a name alone would be a guess.

use std::collections::BTreeMap;

use super::objects::Owner;

/// The label in which a Deployment's controller puts the hash of the template.
const HASH: &str = "pod-template-hash";

/// The kinds and the names of what has made a pod: its owner first, and then the owner's owner. `cron_job` is the name of the
/// CronJob that has made the owner, if that is a Job.
pub(super) fn chain(
    owner: Option<&Owner>,
    labels: &BTreeMap<String, String>,
    cron_job: Option<&str>,
) -> Vec<(String, String)> {
    let Some(owner) = owner else { return Vec::new() };
    let deployment = || {
        let hash = labels.get(HASH).filter(|hash| !hash.is_empty())?;
        let name = owner.name.strip_suffix(hash.as_str())?.strip_suffix('-')?;
        (!name.is_empty()).then(|| ("Deployment".to_owned(), name.to_owned()))
    };
    let above = match owner.kind.as_str() {
        "ReplicaSet" => deployment(),
        "Job" => cron_job.map(|name| ("CronJob".to_owned(), name.to_owned())),
        _ => None,
    };
    [(owner.kind.clone(), owner.name.clone())].into_iter().chain(above).collect()
}

#[cfg(test)]
mod tests {
    //! Deployments by the hash, and what is no Deployment's.

    use super::*;

    fn made_by(kind: &str, name: &str, hash: Option<&str>, cron_job: Option<&str>) -> Vec<String> {
        let owner = Owner { kind: kind.to_owned(), name: name.to_owned(), uid: "u".to_owned() };
        let labels = hash.map(|hash| (HASH.to_owned(), hash.to_owned())).into_iter().collect();
        let chain = chain(Some(&owner), &labels, cron_job);
        chain.into_iter().map(|(kind, name)| format!("{kind} {name}")).collect()
    }

    #[test]
    fn a_deployment_is_named_only_if_the_hash_agrees() {
        let hash = Some("5d89f");
        assert_eq!(
            made_by("ReplicaSet", "web-shop-5d89f", hash, None),
            ["ReplicaSet web-shop-5d89f", "Deployment web-shop"]
        );
        assert_eq!(made_by("ReplicaSet", "web-shop-5d89f", None, None), ["ReplicaSet web-shop-5d89f"]);
        assert_eq!(made_by("ReplicaSet", "web-shop-77777", hash, None), ["ReplicaSet web-shop-77777"]);
        assert_eq!(made_by("ReplicaSet", "5d89f", hash, None), ["ReplicaSet 5d89f"]);
        assert_eq!(made_by("ReplicaSet", "web5d89f", hash, None), ["ReplicaSet web5d89f"]);
        assert_eq!(made_by("ReplicaSet", "web", Some(""), None), ["ReplicaSet web"]);
        assert_eq!(made_by("StatefulSet", "db-5d89f", hash, None), ["StatefulSet db-5d89f"]);
    }

    #[test]
    fn a_cron_job_is_named_only_if_it_is_known() {
        assert_eq!(made_by("Job", "backup-28391", None, None), ["Job backup-28391"]);
        assert_eq!(
            made_by("Job", "backup-28391", None, Some("backup")),
            ["Job backup-28391", "CronJob backup"]
        );
        assert_eq!(made_by("DaemonSet", "agent", None, Some("backup")), ["DaemonSet agent"]);
        assert_eq!(chain(None, &BTreeMap::new(), Some("backup")), []);
    }
}
