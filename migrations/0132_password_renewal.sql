-- An invitation may also let the owner of an account that is there choose another password.

ALTER TABLE account_invitation ADD COLUMN principal_id uuid REFERENCES account (principal_id);
