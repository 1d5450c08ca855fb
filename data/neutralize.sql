-- a copied database sends nothing and knows no password
UPDATE user_email_alias
   SET active = false, is_default = false, smtp_secret = NULL,
       oauth_secret = NULL, oauth_pending_secret = NULL, imap_secret = NULL;
UPDATE user_email_alias_log SET sent_copy_state = NULL, sent_copy = NULL
 WHERE sent_copy_state = 'waiting';
UPDATE user_email_alias_log SET draft = NULL WHERE draft IS NOT NULL;
DELETE FROM ir_config_parameter
 WHERE key IN ('user_email_alias.google_client_secret',
               'user_email_alias.google_organisation_key',
               'user_email_alias.microsoft_client_secret');
