"""All actions, in the order of their buttons; each in the file of what it is done on. How one looks: action.py."""

from pgqueue.dashboard.actions import alerts, bulk, causes, jobs, limits, queues, schedules, workers, workflows
from pgqueue.dashboard.actions.action import Action

ACTIONS: tuple[Action, ...] = (
    *jobs.ACTIONS,
    *queues.ACTIONS,
    *limits.ACTIONS,
    *schedules.ACTIONS,
    *workers.ACTIONS,
    *workflows.ACTIONS,
    *bulk.ACTIONS,
    *causes.ACTIONS,
    *alerts.ACTIONS,
)
