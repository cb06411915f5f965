"""Keeps the reports app in the audit database and everything else out of it."""


class AuditRouter:
    def db_for_read(self, model, **hints):
        return "audit" if model._meta.app_label == "reports" else None

    db_for_write = db_for_read

    def allow_relation(self, first, second, **hints):
        if "reports" in (first._meta.app_label, second._meta.app_label):
            return first._meta.app_label == second._meta.app_label
        return None

    def allow_migrate(self, db, app_label, **hints):
        return (app_label == "reports") == (db == "audit")
