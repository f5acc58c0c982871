//! The CronJobs that have made Jobs. A pod names its Job, and only the Job names its CronJob.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::objects::Job;

/// So many jobs that were deleted are still known: their pods are deleted after them.
const MOST_DELETED: usize = 4096;
/// For so many jobs that are not known yet, it is kept which pods wait for them.
const MOST_AWAITED: usize = 4096;

/// The names of CronJobs, by the UIDs of their Jobs.
#[derive(Default)]
pub(super) struct Jobs {
    cron_jobs: HashMap<String, Arc<str>>,
    deleted: VecDeque<String>,
    /// The UIDs of pods whose Job is not known yet, by the UID of that Job.
    awaited: HashMap<String, Vec<Arc<str>>>,
}

impl Jobs {
    /// Takes note of a job. Returns the UIDs of the pods that have waited for it and that a CronJob has made.
    pub(super) fn add(&mut self, job: &Job) -> Vec<Arc<str>> {
        let waiting = self.awaited.remove(&job.uid).unwrap_or_default();
        let Some(owner) = job.owner.as_ref().filter(|owner| owner.kind == "CronJob") else {
            return Vec::new();
        };
        self.cron_jobs.entry(job.uid.clone()).or_insert_with(|| owner.name.as_str().into());
        waiting
    }

    /// The CronJob of a job.
    pub(super) fn cron_job(&self, job: &str) -> Option<&Arc<str>> {
        self.cron_jobs.get(job)
    }

    /// The CronJob that has made a pod through this job. If the job is not known yet, the pod waits for it.
    pub(super) fn of_pod(&mut self, job: &str, pod: &Arc<str>) -> Option<&Arc<str>> {
        if !self.cron_jobs.contains_key(job) {
            if self.awaited.len() >= MOST_AWAITED {
                self.awaited.clear();
            }
            let waiting = self.awaited.entry(job.to_owned()).or_default();
            if !waiting.contains(pod) {
                waiting.push(Arc::clone(pod));
            }
        }
        self.cron_jobs.get(job)
    }

    /// Takes note that a job was deleted.
    pub(super) fn delete(&mut self, job: &str) {
        if !self.cron_jobs.contains_key(job) || self.deleted.iter().any(|deleted| deleted == job) {
            return;
        }
        self.deleted.push_back(job.to_owned());
        if self.deleted.len() > MOST_DELETED
            && let Some(oldest) = self.deleted.pop_front()
        {
            self.cron_jobs.remove(&oldest);
        }
    }

    /// Takes note that all jobs but `listed` were deleted.
    pub(super) fn delete_others(&mut self, listed: &HashSet<String>) {
        let gone: Vec<String> = self.cron_jobs.keys().filter(|job| !listed.contains(*job)).cloned().collect();
        gone.iter().for_each(|job| self.delete(job));
    }
}
