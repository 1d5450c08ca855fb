-- a copied database sends nothing and knows no password
UPDATE user_email_alias
   SET active = false, is_default = false, smtp_secret = NULL;
