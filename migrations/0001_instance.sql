-- One row: who this installation is.
CREATE TABLE instance (
    id          uuid        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    only_one    boolean     NOT NULL DEFAULT true PRIMARY KEY CHECK (only_one)
);
