"""Which database a model is in."""


class LoansRouter:
    """Loans are in the archive; everything else is not."""

    def db_for_read(self, model, **hints):
        return "archive" if model._meta.app_label == "loans" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (db == "archive") == (app_label == "loans")
